use gnomon_sdk::prelude::*;

macro_rules! step {
    ($name:ident, $event_type:literal, $from:literal => $to:literal $(, $produces:expr)?) => {
        struct $name;

        impl Upcast for $name {
            const EVENT_TYPE: &'static str = $event_type;
            const FROM: u32 = $from;
            const TO: u32 = $to;
            $(const PRODUCES: &'static [&'static str] = $produces;)?

            type Old = ();
            type New = ();

            fn upcast(_: Event<()>) -> Result<Upcasted<()>, Failure> {
                Ok(().into())
            }
        }
    };
}

step!(OneToTwo, "A", 1 => 2);
step!(OneToThree, "A", 1 => 3);
step!(ThreeToFour, "A", 3 => 4);
step!(TwoToOne, "A", 2 => 1);
step!(FromZero, "A", 0 => 1);
step!(Nameless, "", 1 => 2);
step!(ToNameless, "A", 1 => 2, &["A", ""]);
step!(ToTheSameTwice, "A", 1 => 2, &["A", "B", "A"]);

gnomon_sdk::export_upcaster!(OneToTwo, ThreeToFour);
gnomon_sdk::export_upcaster!(OneToTwo, OneToThree);
gnomon_sdk::export_upcaster!(OneToTwo, TwoToOne);
gnomon_sdk::export_upcaster!(FromZero);
gnomon_sdk::export_upcaster!(Nameless);
gnomon_sdk::export_upcaster!(ToNameless);
gnomon_sdk::export_upcaster!(ToTheSameTwice);

fn main() {}

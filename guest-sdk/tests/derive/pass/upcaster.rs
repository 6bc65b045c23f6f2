use gnomon_sdk::{prelude::*, upcaster::Upcaster};

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

step!(OneToThree, "A", 1 => 3);
step!(TwoToThree, "A", 2 => 3);
step!(ThreeToFour, "A", 3 => 4);
step!(Splits, "B", 1 => 2, &["B", "A"]);
step!(Removes, "C", 1 => 2, &[]);
step!(Other, "Two words & ünïcode", 1 => 2);

gnomon_sdk::export_upcaster!(ThreeToFour, OneToThree, Other, Splits, Removes, TwoToThree,);

fn main() {
    let produces = <(OneToThree, Splits, Removes)>::STEPS.iter().map(|step| step.produces);
    assert_eq!(produces.collect::<Vec<_>>(), [&["A"][..], &["B", "A"], &[]]);
    let steps = <(OneToThree, Other)>::STEPS.iter().map(|step| (step.event_type, step.from, step.to));
    assert_eq!(steps.collect::<Vec<_>>(), [("A", 1, 3), ("Two words & ünïcode", 1, 2)]);
}

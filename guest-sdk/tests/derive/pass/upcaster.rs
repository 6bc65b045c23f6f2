use gnomon_sdk::{prelude::*, upcaster::Upcaster};

macro_rules! step {
    ($name:ident, $event_type:literal, $from:literal => $to:literal) => {
        struct $name;

        impl Upcast for $name {
            const EVENT_TYPE: &'static str = $event_type;
            const FROM: u32 = $from;
            const TO: u32 = $to;

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
step!(Other, "Two words & ünïcode", 1 => 2);

gnomon_sdk::export_upcaster!(ThreeToFour, OneToThree, Other, TwoToThree,);

fn main() {
    let steps = <(OneToThree, Other)>::STEPS.iter().map(|step| (step.event_type, step.from, step.to));
    assert_eq!(steps.collect::<Vec<_>>(), [("A", 1, 3), ("Two words & ünïcode", 1, 2)]);
}

use gnomon_sdk::prelude::*;

struct NotRead;

struct Step;

impl Upcast for Step {
    const EVENT_TYPE: &'static str = "A";
    const FROM: u32 = 1;
    const TO: u32 = 2;

    type Old = NotRead;
    type New = NotRead;

    fn upcast(_: Event<NotRead>) -> Result<Upcasted<NotRead>, Failure> {
        Ok(Upcasted::none())
    }
}

struct NoStep;

gnomon_sdk::export_upcaster!(NoStep);

fn main() {}

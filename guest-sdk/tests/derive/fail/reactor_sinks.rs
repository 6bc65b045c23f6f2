use gnomon_sdk::prelude::*;

#[derive(Events)]
enum OrderEvent {
    #[event("OrderPlaced")]
    Placed,
}

struct BadName;

impl Reactor for BadName {
    type Event = OrderEvent;
    type Tables = ();

    const SINKS: &'static [&'static str] = &["https://example.com"];

    fn react(_: &Event<OrderEvent>, _: &mut Rows, _: &mut Effects) -> Result<(), Failure> {
        Ok(())
    }
}

gnomon_sdk::export_reactor!(BadName);

struct NoEffects;

impl Reactor for NoEffects {
    type Event = OrderEvent;
    type Tables = ();

    const CATEGORIES: &'static [&'static str] = &["order-1"];

    fn react(_: &Event<OrderEvent>, _: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        effects.append("ledger-1", ["not an event"]);
        effects.publish("mail", "not a message");
        Ok(())
    }
}

gnomon_sdk::export_reactor!(NoEffects);

fn main() {}

use gnomon_sdk::prelude::*;

#[derive(Events)]
enum OrderEvent {
    #[event("OrderPlaced")]
    Placed,
}

struct NoReactor;

gnomon_sdk::export_reactor!(NoReactor);

struct TwoSinks;

impl Reactor for TwoSinks {
    type Event = OrderEvent;
    type Tables = ();

    const SINKS: &'static [&'static str] = &["mail", "fax", "mail"];

    fn react(_: &Event<OrderEvent>, _: &mut Rows, _: &mut Effects) -> Result<(), Failure> {
        Ok(())
    }
}

gnomon_sdk::export_reactor!(TwoSinks);

fn main() {}

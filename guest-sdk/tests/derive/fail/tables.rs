use gnomon_sdk::prelude::*;

#[derive(Events)]
enum Closed {
    #[event("Closed")]
    Closed,
}

#[derive(Table)]
#[table("closed")]
struct Row {
    #[key]
    account: String,
}

struct Many;

impl Projection for Many {
    type Event = Closed;
    type Tables = (
        Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row, Row,
        Row, Row, Row, Row, Row, Row, Row, Row, Row,
    );

    fn handle(_: &Event<Closed>, _: &mut Rows) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}

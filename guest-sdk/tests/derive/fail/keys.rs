use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("daily")]
#[index("by_day", columns(day))]
struct Daily {
    #[key]
    carrier: String,
    #[key]
    day: Date,
}

fn handle(rows: &mut Rows) {
    rows.get::<Daily>("UA");
    rows.get::<Daily>(("UA", 5));
    rows.find(Daily::by_day("UA"));
}

fn main() {}

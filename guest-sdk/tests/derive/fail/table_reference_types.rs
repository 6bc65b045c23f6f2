use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("legs")]
struct Leg {
    #[key]
    flight: String,
    #[key]
    leg: i64,
}

#[derive(Table)]
#[table("one_column")]
struct OneColumn {
    #[key]
    #[references(Leg)]
    flight: String,
}

#[derive(Table)]
#[table("other_types")]
#[references(Leg, columns(leg, flight))]
struct OtherTypes {
    #[key]
    flight: String,
    leg: i64,
}

#[derive(Table)]
#[table("no_table")]
struct NoTable {
    #[key]
    #[references(String)]
    flight: String,
}

fn main() {}

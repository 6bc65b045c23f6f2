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
#[table("a")]
#[references(Leg)]
#[references(Leg, columns(flight, gate))]
#[references(Leg, column(flight))]
struct A {
    #[key]
    flight: String,
    #[references(Leg, columns(flight))]
    leg: i64,
    #[references]
    other: i64,
}

fn main() {}

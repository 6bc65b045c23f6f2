use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("measures")]
struct Measure {
    #[key]
    value: f64,
}

fn main() {}

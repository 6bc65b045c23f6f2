use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("routes")]
struct Route {
    #[key]
    stops: Vec<String>,
}

fn main() {}

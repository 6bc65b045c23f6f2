use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("customers")]
struct Customer {
    #[key]
    mail: CiText,
}

fn main() {}

use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("accounts")]
struct Account {
    #[key]
    bank: i64,
    #[key]
    account: Option<String>,
}

fn main() {}

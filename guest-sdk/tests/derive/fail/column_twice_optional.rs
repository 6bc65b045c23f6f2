use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("accounts")]
struct Account {
    #[key]
    account: String,
    balance: Option<Option<i64>>,
}

fn main() {}

use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("accounts")]
struct Account {
    #[key]
    account: String,
    balance: u64,
}

fn main() {}

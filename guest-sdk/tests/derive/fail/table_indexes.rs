use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("accounts")]
#[index("by_ownr", columns(ownr))]
#[index("by_nothing", columns())]
#[index("by_owner_twice", columns(owner, owner))]
#[index("by owner", columns(owner))]
#[index("match", columns(owner))]
#[index("by_owner")]
#[index("by_owner", column(owner))]
#[index(by_owner)]
struct Account {
    #[key]
    account: String,
    owner: String,
}

fn main() {}

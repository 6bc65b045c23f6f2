use gnomon_sdk::prelude::*;

enum Opened {}

struct Account;

struct Accounts;

impl Projection for Accounts {
    type Event = Opened;
    type Tables = (Account,);

    fn handle(_: &Event<Opened>, _: &mut Rows) -> Result<(), Failure> {
        Ok(())
    }
}

struct NoProjection;

gnomon_sdk::export!(NoProjection);

fn main() {}

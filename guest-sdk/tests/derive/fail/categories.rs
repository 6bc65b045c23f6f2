use gnomon_sdk::prelude::*;

#[derive(Events)]
enum UserEvent {
    #[event("Opened")]
    Opened,
}

#[derive(Table)]
#[table("users")]
struct User {
    #[key]
    user: String,
}

struct Users;

impl Projection for Users {
    type Event = UserEvent;
    type Tables = User;

    const CATEGORIES: &'static [&'static str] = &["account", "user-v1"];

    fn handle(_: &Event<UserEvent>, _: &mut Rows) -> Result<(), Failure> {
        Ok(())
    }
}

gnomon_sdk::export!(Users);

fn main() {}

use gnomon_sdk::prelude::*;

#[derive(Events)]
enum Event_ {
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
    type Event = Event_;
    type Tables = User;

    const CATEGORIES: &'static [&'static str] = &["account", "user-v1"];

    fn handle(_: &Event<Event_>, _: &mut Rows) -> Result<(), Failure> {
        Ok(())
    }
}

gnomon_sdk::export!(Users);

fn main() {}

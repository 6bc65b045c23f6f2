use gnomon_sdk::prelude::*;

#[derive(Events)]
enum Wrong {
    Unnamed,
    #[event("Opened")]
    Opened,
    #[event("Opened")]
    OpenedAgain,
    #[event(other)]
    Other,
    #[event(other)]
    Another,
    #[event(Closed)]
    Closed,
    #[event("")]
    Empty,
    #[event("a\nb")]
    Lines,
    #[event("Moved", schema_version = 0)]
    Moved,
    #[event("Sold", version = 2)]
    Sold,
    #[event("Bought")]
    #[event("Purchased")]
    Bought,
    #[event]
    Bare,
}

fn main() {}

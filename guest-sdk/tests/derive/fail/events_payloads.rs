use gnomon_sdk::prelude::*;

struct NotRead;

#[derive(Events)]
enum TwoPayloads {
    #[event("Pair")]
    Pair(i64, i64),
    #[event("Fields")]
    Fields { a: i64 },
    #[event("None")]
    None(),
}

#[derive(Events)]
enum NotDeserialize {
    #[event("NotRead")]
    NotRead(NotRead),
}

fn main() {}

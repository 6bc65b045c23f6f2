use gnomon_sdk::prelude::*;

#[derive(Events)]
struct Opened {
    owner: String,
}

#[derive(Events)]
enum Nothing {}

#[derive(Events)]
enum Generic<T> {
    #[event("Opened")]
    Opened(T),
}

#[derive(Events)]
enum Borrowing<'a> {
    #[event("Opened")]
    Opened(&'a str),
}

fn main() {}

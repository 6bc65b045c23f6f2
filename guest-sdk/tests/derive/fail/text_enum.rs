use gnomon_sdk::prelude::*;

#[derive(TextEnum)]
enum State {
    #[text("arrived")]
    Arrived,
    #[text("arrived")]
    Landed,
    #[text("delayed")]
    Delayed(i64),
    Lost,
    #[text("a\0b")]
    Nul,
    #[text(departed)]
    Departed,
}

#[derive(TextEnum)]
struct NoEnum;

#[derive(TextEnum)]
enum Nothing {}

fn main() {}

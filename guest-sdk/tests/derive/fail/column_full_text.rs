use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("articles")]
#[index("by_words", full_text(language = "english", columns(title = "A", pages)))]
struct Article {
    #[key]
    article: i64,
    title: String,
    pages: i64,
}

fn main() {}

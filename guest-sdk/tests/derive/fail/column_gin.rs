use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("articles")]
#[index("by_title", gin(title))]
struct Article {
    #[key]
    article: i64,
    title: String,
}

fn main() {}

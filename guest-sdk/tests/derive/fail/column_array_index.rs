use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("articles")]
#[index("by_tags", columns(tags))]
struct Article {
    #[key]
    article: i64,
    tags: Vec<String>,
}

fn main() {}

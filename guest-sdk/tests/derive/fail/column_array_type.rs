use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("articles")]
struct Article {
    #[key]
    article: i64,
    marks: Vec<i32>,
    tags: Vec<Option<String>>,
}

fn main() {}

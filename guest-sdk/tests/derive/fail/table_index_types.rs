use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("articles")]
#[index("by_title", gin(title))]
#[index("words", full_text(language = "english", columns(title, pieces = "B")))]
#[index("by_labels", columns(labels))]
struct Article {
    #[key]
    article: String,
    title: String,
    pieces: i64,
    labels: Vec<String>,
}

fn main() {}

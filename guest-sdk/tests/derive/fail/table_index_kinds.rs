use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("articles")]
#[index("no_columns", gin())]
#[index("no_kind", hash(title))]
#[index("no_field", gin(label))]
#[index("no_language", full_text(columns(title)))]
#[index("no_texts", full_text(language = "english"))]
#[index("klingon", full_text(language = "klingon", columns(title)))]
#[index("weight", full_text(language = "english", columns(title = "E")))]
#[index("title", full_text(language = "english", columns(title)))]
#[index("twice", full_text(language = "english", columns(title, title)))]
#[index("other", full_text(language = "english", weights(title = "A")))]
struct Article {
    #[key]
    article: String,
    title: String,
}

fn main() {}

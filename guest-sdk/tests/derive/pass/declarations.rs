//! Descriptions, kinds of indexes and references.

use gnomon_sdk::{
    prelude::*,
    schema::{IndexKind, ReferenceSchema, Weight},
};

/// An article of the shop,
/// as it is sold.
///
/// More than that is for who reads the code.
#[derive(Table)]
#[table("articles")]
#[index("words", full_text(language = "english", columns(title = "A", text)))]
#[index("by_labels", gin(labels, details))]
#[index("match", gin(sizes))]
pub struct Article {
    #[key]
    article: String,
    /// What stands on the shelf.
    title: String,
    text: Option<CiText>,
    labels: Vec<String>,
    sizes: Option<Vec<i64>>,
    details: Json<Vec<String>>,
    /// The article that takes its place.
    #[references(Article)]
    successor: Option<String>,
}

#[derive(Table)]
#[table("order_lines")]
#[references(Stock, columns(article, warehouse))]
pub struct OrderLine {
    #[key]
    #[column("order_number")]
    order: i64,
    #[key]
    #[references(Article)]
    #[column("article_number")]
    article: String,
    warehouse: Option<i64>,
}

#[derive(Table)]
#[table("stocks")]
pub struct Stock {
    #[key]
    article: String,
    #[key]
    warehouse: i64,
}

fn main() {
    let articles = Article::SCHEMA;
    assert_eq!(articles.description, Some("An article of the shop, as it is sold."));
    let descriptions: Vec<_> = articles.columns.iter().map(|column| column.description).collect();
    let title = Some("What stands on the shelf.");
    assert_eq!(descriptions, [None, title, None, None, None, None, Some("The article that takes its place.")]);
    assert_eq!(
        articles.indexes[0].kind,
        IndexKind::FullText { language: "english", columns: &[("title", Weight::A), ("text", Weight::D)] }
    );
    assert_eq!(articles.indexes[1].kind, IndexKind::Gin(&["labels", "details"]));
    assert_eq!((articles.indexes[2].name, articles.indexes[2].kind), ("match", IndexKind::Gin(&["sizes"])));
    assert_eq!(articles.references, [ReferenceSchema { columns: &["successor"], table: "articles" }]);
    assert_eq!(
        OrderLine::SCHEMA.references,
        [
            ReferenceSchema { columns: &["article_number"], table: "articles" },
            ReferenceSchema { columns: &["article_number", "warehouse"], table: "stocks" },
        ]
    );
}

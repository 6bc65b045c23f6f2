//! The tables of the shop.

use gnomon_sdk::{prelude::*, serde_json};

/// Who writes books.
#[derive(Table)]
#[table("authors")]
pub struct Author {
    /// The stream without `author-`.
    #[key]
    pub author: String,
    /// The name, as it is printed.
    pub name: String,
    /// Where the author lives.
    pub country: Option<String>,
    /// The day of birth.
    pub born: Option<Date>,
    /// Of whom the author has learned.
    #[references(Author)]
    pub mentor: Option<String>,
}

/// What a book is about.
#[derive(Table)]
#[table("genres")]
pub struct Genre {
    /// The stream without `genre-`.
    #[key]
    pub genre: String,
    /// The sign at the shelf.
    pub label: String,
}

/// A book.
#[derive(Table)]
#[table("books")]
#[index("words", full_text(language = "english", columns(title = "A", blurb)))]
#[index("by_tags", gin(tags))]
#[index("by_author", columns(author))]
pub struct Book {
    /// The stream without `book-`.
    #[key]
    pub book: i64,
    /// The title.
    pub title: String,
    /// The text on the back.
    pub blurb: Option<String>,
    /// Who wrote it; null if nobody knows.
    #[references(Author)]
    pub author: Option<String>,
    /// Its number, whose letters are of any case.
    pub isbn: CiText,
    /// How many pages it has.
    pub pages: i64,
    /// What it costs.
    pub price: Decimal,
    /// When the shop had it first.
    pub added: Timestamp,
    /// Whether it can be ordered; null if nobody has asked.
    pub in_print: Option<bool>,
    /// Words of the shop.
    pub tags: Vec<String>,
    /// The stars that it was given, in order.
    pub ratings: Vec<i64>,
    /// What else is known.
    pub details: serde_json::Value,
}

/// A book stands at the shelf of a genre.
#[derive(Table)]
#[table("book_genres")]
pub struct BookGenre {
    /// The book.
    #[key]
    #[references(Book)]
    pub book: i64,
    /// The genre.
    #[key]
    #[references(Genre)]
    pub genre: String,
}

/// The cover of a book that has one.
#[derive(Table)]
#[table("covers")]
pub struct Cover {
    /// The book.
    #[key]
    #[references(Book)]
    pub book: i64,
    /// Its colour.
    pub colour: String,
    /// The first bytes of its picture.
    pub picture: Vec<u8>,
}

/// Where parcels and bills are sent.
#[derive(Table)]
#[table("addresses")]
pub struct Address {
    /// The stream without `address-`.
    #[key]
    pub address: Uuid,
    /// Street and number.
    pub street: String,
    /// The city.
    pub city: String,
    /// From when on parcels are taken.
    pub opens: Option<TimeOfDay>,
}

/// An order.
#[derive(Table)]
#[table("orders")]
pub struct Order {
    /// The stream without `order-`.
    #[key]
    pub number: String,
    /// Who ordered, in whatever case it was written.
    pub customer: CiText,
    /// When it was placed.
    pub placed: Timestamp,
    /// When the parcel left, on the clock of the shop.
    pub shipped: Option<LocalTimestamp>,
    /// Where the bill is sent.
    #[references(Address)]
    pub billing: Uuid,
    /// Where the parcel is sent, if that is elsewhere.
    #[references(Address)]
    pub shipping: Option<Uuid>,
}

/// A line of an order.
#[derive(Table)]
#[table("lines")]
pub struct Line {
    /// The order.
    #[key]
    #[references(Order)]
    pub number: String,
    /// 1, 2, 3 … within the order.
    #[key]
    pub line: i64,
    /// What is ordered.
    #[references(Book)]
    pub book: i64,
    /// How many copies.
    pub quantity: i64,
    /// What one copy costs in this order.
    pub price: Decimal,
}

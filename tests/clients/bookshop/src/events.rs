//! What happens in the shop.

use gnomon_sdk::{prelude::*, serde_json};
use serde::Deserialize;

/// An event of the shop.
#[derive(Events)]
pub enum ShopEvent {
    /// A stream `author-…`.
    #[event("AuthorAdded")]
    AuthorAdded(AuthorAdded),
    /// A stream `genre-…`.
    #[event("GenreAdded")]
    GenreAdded(GenreAdded),
    /// A stream `book-…`.
    #[event("BookAdded")]
    BookAdded(BookAdded),
    /// Somebody gives stars to a book.
    #[event("BookRated")]
    BookRated(BookRated),
    /// A stream `address-…`.
    #[event("AddressAdded")]
    AddressAdded(AddressAdded),
    /// A stream `order-…`.
    #[event("OrderPlaced")]
    OrderPlaced(OrderPlaced),
    /// The parcel leaves.
    #[event("OrderShipped")]
    OrderShipped(OrderShipped),
}

/// An author.
#[derive(Deserialize)]
pub struct AuthorAdded {
    pub(crate) name: String,
    pub(crate) country: Option<String>,
    pub(crate) born: Option<Date>,
    pub(crate) mentor: Option<String>,
}

/// A genre.
#[derive(Deserialize)]
pub struct GenreAdded {
    pub(crate) label: String,
}

/// A book, with its genres and its cover.
#[derive(Deserialize)]
pub struct BookAdded {
    pub(crate) title: String,
    pub(crate) blurb: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) isbn: String,
    pub(crate) pages: i64,
    pub(crate) price: Decimal,
    pub(crate) in_print: Option<bool>,
    pub(crate) tags: Vec<String>,
    pub(crate) details: serde_json::Value,
    pub(crate) genres: Vec<String>,
    pub(crate) cover: Option<BookCover>,
}

/// The cover of a book.
#[derive(Deserialize)]
pub(crate) struct BookCover {
    pub(crate) colour: String,
    pub(crate) picture: Vec<u8>,
}

/// One to five stars.
#[derive(Deserialize)]
pub struct BookRated {
    pub(crate) stars: i64,
}

/// An address.
#[derive(Deserialize)]
pub struct AddressAdded {
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) opens: Option<TimeOfDay>,
}

/// An order, with its lines.
#[derive(Deserialize)]
pub struct OrderPlaced {
    pub(crate) customer: String,
    pub(crate) billing: Uuid,
    pub(crate) shipping: Option<Uuid>,
    pub(crate) lines: Vec<OrderedBook>,
}

/// A line of an order.
#[derive(Deserialize)]
pub(crate) struct OrderedBook {
    pub(crate) book: i64,
    pub(crate) quantity: i64,
    pub(crate) price: Decimal,
}

/// When the parcel left, on the clock of the shop.
#[derive(Deserialize)]
pub struct OrderShipped {
    pub(crate) local_time: LocalTimestamp,
}

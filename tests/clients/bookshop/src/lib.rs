//! A bookshop: tables that reference one row, many rows, many rows through a junction, and themselves, with columns of most types.

mod events;
mod tables;

use events::{BookAdded, OrderPlaced, ShopEvent};
use gnomon_sdk::prelude::*;
pub use tables::{Address, Author, Book, BookGenre, Cover, Genre, Line, Order};

/// Keeps all tables.
pub struct Bookshop;

impl Projection for Bookshop {
    type Event = ShopEvent;
    type Tables = (Author, Genre, Book, BookGenre, Cover, Address, Order, Line);

    const CATEGORIES: &'static [&'static str] = &["author", "genre", "book", "address", "order"];

    fn handle(event: &Event<ShopEvent>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            ShopEvent::AuthorAdded(added) => rows.put(Author {
                author: event.stream_id().to_owned(),
                name: added.name.clone(),
                country: added.country.clone(),
                born: added.born,
                mentor: added.mentor.clone(),
            }),
            ShopEvent::GenreAdded(added) => {
                rows.put(Genre { genre: event.stream_id().to_owned(), label: added.label.clone() });
            }
            ShopEvent::BookAdded(added) => book(event, added, rows)?,
            ShopEvent::BookRated(rated) => match rows.get_mut::<Book>(event.stream_id().parse::<i64>()?) {
                Some(book) => book.ratings.push(rated.stars),
                None => fail!("book {} was never added", event.stream_id()),
            },
            ShopEvent::AddressAdded(added) => rows.put(Address {
                address: event.stream_id().parse()?,
                street: added.street.clone(),
                city: added.city.clone(),
                opens: added.opens,
            }),
            ShopEvent::OrderPlaced(placed) => order(event, placed, rows),
            ShopEvent::OrderShipped(shipped) => match rows.get_mut::<Order>(event.stream_id()) {
                Some(order) => order.shipped = Some(shipped.local_time),
                None => fail!("order {} was never placed", event.stream_id()),
            },
        }
        Ok(())
    }
}

fn book(event: &Event<ShopEvent>, added: &BookAdded, rows: &mut Rows) -> Result<(), Failure> {
    let book: i64 = event.stream_id().parse()?;
    rows.put(Book {
        book,
        title: added.title.clone(),
        blurb: added.blurb.clone(),
        author: added.author.clone(),
        isbn: added.isbn.clone().into(),
        pages: added.pages,
        price: added.price,
        added: event.time,
        in_print: added.in_print,
        tags: added.tags.clone(),
        ratings: Vec::new(),
        details: added.details.clone(),
    });
    for genre in &added.genres {
        rows.put(BookGenre { book, genre: genre.clone() });
    }
    if let Some(cover) = &added.cover {
        rows.put(Cover { book, colour: cover.colour.clone(), picture: cover.picture.clone() });
    }
    Ok(())
}

fn order(event: &Event<ShopEvent>, placed: &OrderPlaced, rows: &mut Rows) {
    let number = event.stream_id();
    rows.put(Order {
        number: number.to_owned(),
        customer: placed.customer.clone().into(),
        placed: event.time,
        shipped: None,
        billing: placed.billing,
        shipping: placed.shipping,
    });
    for (line, item) in (1..).zip(&placed.lines) {
        rows.put(Line { number: number.to_owned(), line, book: item.book, quantity: item.quantity, price: item.price });
    }
}

gnomon_sdk::export!(Bookshop);

//! Keys are given as they come: values, references, and tuples of both, whether the table is named or follows from the rest of the call.

use std::{borrow::Cow, rc::Rc};

use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("sales")]
pub struct Sales {
    #[key]
    country: String,
    #[key]
    day: Date,
    #[key]
    stock: String,
    sold: i64,
}

#[derive(Table)]
#[table("everything")]
pub struct Everything {
    #[key]
    state: State,
    #[key]
    id: Uuid,
    #[key]
    bytes: Vec<u8>,
    #[key]
    small: i8,
}

#[derive(TextEnum)]
pub enum State {
    #[text("open")]
    Open,
}

#[derive(Table)]
#[table("names")]
pub struct Name {
    #[key]
    name: String,
}

#[derive(Table)]
#[table("numbers")]
pub struct Number {
    #[key]
    number: i64,
}

#[derive(Table)]
#[table("long")]
pub struct Long {
    #[key]
    a: i64,
    #[key]
    b: i64,
    #[key]
    c: i64,
    #[key]
    d: i64,
    #[key]
    e: i64,
    #[key]
    f: i64,
    #[key]
    g: i64,
    #[key]
    h: i64,
    #[key]
    i: i64,
    #[key]
    j: i64,
    #[key]
    k: i64,
    #[key]
    l: i64,
    #[key]
    m: i64,
    #[key]
    n: i64,
    #[key]
    o: i64,
    #[key]
    p: i64,
}

pub struct Item {
    country: String,
    stock: String,
    day: Date,
}

pub fn several(rows: &mut Rows, prefetch: &mut Prefetch, item: &Item, day: Date) {
    let new = || Sales { country: item.country.clone(), day, stock: item.stock.clone(), sold: 0 };
    rows.get_or_insert_with((&item.country, day, &item.stock), new).sold += 1;
    rows.get_or_insert_with((&item.country, &item.day, item.stock.as_str()), new).sold += 1;
    rows.get_or_insert_with(("UA", day, &&item.stock), new).sold += 1;
    rows.get_or_insert_with::<Sales>((&item.country, day, &item.stock), new).sold += 1;
    let _: Option<&Sales> = rows.get((&item.country, day, &item.stock));
    let _: Option<&mut Sales> = rows.get_mut((&item.country, day, &item.stock));
    rows.delete::<Sales>((&item.country, day, &item.stock));
    prefetch.want::<Sales>((&item.country, day, &item.stock));
}

pub fn of_every_type(rows: &mut Rows, id: Uuid, bytes: &Vec<u8>) {
    let new = || Everything { state: State::Open, id, bytes: bytes.clone(), small: 5 };
    rows.get_or_insert_with((State::Open, id, bytes, 5), new);
    rows.get_or_insert_with((&State::Open, &id, bytes.as_slice(), &5), new);
    rows.get_or_insert_with((State::Open, id, b"ab", -5), new);
}

pub fn single(rows: &mut Rows, name: &str, owned: &String, shared: &Rc<str>, cow: Cow<'_, str>) {
    let new = || Name { name: name.to_owned() };
    rows.get_or_insert_with(name, new);
    rows.get_or_insert_with(owned, new);
    rows.get_or_insert_with(&name, new);
    rows.get_or_insert_with(shared, new);
    rows.get_or_insert_with(&cow, new);
    rows.get_or_insert_with(&format!("{name}!"), new);
    rows.get_or_insert_with(7, || Number { number: 7 });
    rows.get_or_insert_with(&7, || Number { number: 7 });
    rows.get::<Number>(7);
}

/// As many columns as a host allows.
pub fn sixteen(rows: &mut Rows, first: &i64) -> bool {
    rows.get::<Long>((first, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)).is_some()
}

/// A key of a type parameter's table.
pub fn of_row<T: Table>(rows: &mut Rows, row: &T) -> bool {
    rows.get::<T>(row.key()).is_some()
}

fn main() {}

//! Baskets of items, each basket a stream: rows that are added, changed and deleted, found by an index, in two tables. It cannot handle the
//! removal of an item that is not there.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;
use serde::Deserialize;

#[derive(Events)]
enum BasketEvent {
    #[event("Added")]
    Added(Added),
    #[event("Removed")]
    Removed(Removed),
    #[event("Labelled")]
    Labelled(Labelled),
    #[event("Cleared")]
    Cleared,
}

#[derive(Deserialize)]
struct Added {
    item: String,
    count: i64,
    weight: Option<f64>,
}

#[derive(Deserialize)]
struct Removed {
    item: String,
}

#[derive(Deserialize)]
struct Labelled {
    label: Option<String>,
}

/// An item of a basket.
#[derive(Table)]
#[table("items")]
#[index("by_basket", columns(basket))]
struct Item {
    #[key]
    basket: String,
    #[key]
    item: String,
    count: i64,
    weight: Option<f64>,
    added_at: Timestamp,
}

/// A basket that has a label, or an item.
#[derive(Table)]
#[table("baskets")]
struct Basket {
    #[key]
    basket: String,
    label: Option<String>,
    items: i64,
    /// The version of the last event.
    version: i64,
}

struct Module;

impl Projection for Module {
    type Event = BasketEvent;
    type Tables = (Item, Basket);

    const CATEGORIES: &'static [&'static str] = &["basket"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<BasketEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let basket = event.stream_id();
        match &event.data {
            BasketEvent::Added(Added { item, count, weight }) => {
                let new = || Item {
                    basket: basket.to_owned(),
                    item: item.clone(),
                    count: 0,
                    weight: *weight,
                    added_at: event.time,
                };
                rows.get_or_insert_with::<Item>((basket, item.as_str()), new).count += count;
            }
            BasketEvent::Removed(Removed { item }) => {
                if rows.get::<Item>((basket, item.as_str())).is_none() {
                    fail!("there is no {item} in basket {basket}");
                }
                rows.delete::<Item>((basket, item.as_str()));
            }
            BasketEvent::Labelled(_) => {}
            BasketEvent::Cleared => {
                for item in rows.find(Item::by_basket(basket)) {
                    rows.delete::<Item>((basket, item.item.as_str()));
                }
            }
        }
        let items = i64::try_from(rows.find(Item::by_basket(basket)).len())?;
        let before = rows.get::<Basket>(basket).and_then(|row| row.label.clone());
        let label = match &event.data {
            BasketEvent::Labelled(Labelled { label }) => label.clone(),
            _ => before,
        };
        if items == 0 && label.is_none() {
            rows.delete::<Basket>(basket);
        } else {
            let version = i64::try_from(event.version)?;
            rows.put(Basket { basket: basket.to_owned(), label, items, version });
        }
        Ok(())
    }
}

gnomon_sdk::export!(Module);

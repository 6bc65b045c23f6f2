//! A valid projection that stores numbers in every type of column that can hold them, and later records what it reads from there.

#![cfg(target_family = "wasm")]

use gnomon_sdk::{prelude::*, serde_json::Value};
use serde::{Deserialize, Serialize};

#[derive(Events)]
enum Measuring {
    #[event("Measured")]
    Measured(Measured),
    /// The row is read, from memory or from the database, and its values are recorded.
    #[event("Looked")]
    Looked,
}

/// What was measured, as numbers of several types.
#[derive(Clone, Deserialize, Serialize)]
struct Measured {
    int: Option<i64>,
    float: Option<f64>,
    decimal: Option<Decimal>,
    any: Option<Value>,
    #[serde(flatten)]
    more: More,
}

/// Fields that serde reads into a buffer first.
#[derive(Clone, Deserialize, Serialize)]
struct More {
    flat_float: Option<f64>,
    flat_decimal: Option<Decimal>,
    flat_any: Option<Value>,
}

#[derive(Table)]
#[table("readings")]
#[index("by_decimal", columns(decimal))]
#[index("by_float", columns(float))]
struct Reading {
    #[key]
    name: String,
    int: Option<i64>,
    float: Option<f64>,
    decimal: Option<Decimal>,
    any: Option<Value>,
    all: Json<Measured>,
    seen: Option<String>,
    same_decimal: i64,
    same_float: i64,
}

struct Module;

impl Projection for Module {
    type Event = Measuring;
    type Tables = Reading;

    fn handle(event: &Event<Measuring>, rows: &mut Rows) -> Result<(), Failure> {
        let name = event.stream_id();
        match &event.data {
            Measuring::Measured(measured) => rows.put(Reading {
                name: name.to_owned(),
                int: measured.int,
                float: measured.float,
                decimal: measured.decimal,
                any: measured.any.clone(),
                all: Json(measured.clone()),
                seen: None,
                same_decimal: 0,
                same_float: 0,
            }),
            Measuring::Looked => {
                let Some(row) = rows.get::<Reading>(name) else { fail!("nothing was measured") };
                let (decimal, float) = (row.decimal, row.float);
                let all = gnomon_sdk::serde_json::to_string(&row.all.0)?;
                let seen = format!("{:?} {float:?} {decimal:?} {:?} {all}", row.int, row.any);
                let same_decimal = decimal.map_or(0, |decimal| rows.find(Reading::by_decimal(decimal)).len() as i64);
                let same_float = float.map_or(0, |float| rows.find(Reading::by_float(float)).len() as i64);
                if let Some(row) = rows.get_mut::<Reading>(name) {
                    row.seen = Some(seen);
                    row.same_decimal = same_decimal;
                    row.same_float = same_float;
                }
            }
        }
        Ok(())
    }
}

gnomon_sdk::export!(Module);

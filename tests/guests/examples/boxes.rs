//! Keeps what is put into boxes, each box a stream of any category: in a table with columns of every type, and in two whose keys have every type that
//! keys may have. A box may be emptied, and filled again.

#![cfg(target_family = "wasm")]

use gnomon_sdk::{prelude::*, serde_json::Value};
use serde::Deserialize;

#[derive(Events)]
enum BoxEvent {
    #[event("Kept")]
    Kept(Kept),
    #[event("Emptied")]
    Emptied,
}

#[derive(Deserialize)]
struct Kept {
    label: String,
    city: Option<String>,
    flag: bool,
    small: Option<i64>,
    float: Option<f64>,
    decimal: Decimal,
    at: Timestamp,
    local: LocalTimestamp,
    day: Date,
    clock: TimeOfDay,
    id: Uuid,
    json: Option<Value>,
    bytes: Vec<u8>,
    tags: Option<Vec<String>>,
    numbers: Option<Vec<i64>>,
    floats: Option<Vec<f64>>,
    ids: Option<Vec<Uuid>>,
}

/// What was put into a box last.
#[derive(Table)]
#[table("boxes")]
struct Contents {
    /// The whole name of the stream.
    #[key]
    stream: String,
    label: String,
    city: Option<CiText>,
    flag: bool,
    small: Option<i64>,
    float: Option<f64>,
    decimal: Decimal,
    at: Timestamp,
    local: LocalTimestamp,
    day: Date,
    clock: TimeOfDay,
    id: Uuid,
    json: Option<Value>,
    bytes: Vec<u8>,
    tags: Option<Vec<String>>,
    numbers: Option<Vec<i64>>,
    floats: Option<Vec<f64>>,
    ids: Option<Vec<Uuid>>,
    version: i64,
}

/// How often something was put into a box.
#[derive(Table)]
#[table("things")]
#[index("by_box", columns(category, number))]
struct Thing {
    #[key]
    category: String,
    #[key]
    number: i64,
    #[key]
    label: String,
    #[key]
    flag: bool,
    #[key]
    decimal: Decimal,
    #[key]
    id: Uuid,
    #[key]
    bytes: Vec<u8>,
    times: i64,
}

/// How often something was put into a box at some time.
#[derive(Table)]
#[table("moments")]
#[index("by_box", columns(category, number))]
struct Moment {
    #[key]
    category: String,
    #[key]
    number: i64,
    #[key]
    at: Timestamp,
    #[key]
    local: LocalTimestamp,
    #[key]
    day: Date,
    #[key]
    clock: TimeOfDay,
    times: i64,
}

struct Module;

impl Projection for Module {
    type Event = BoxEvent;
    type Tables = (Contents, Thing, Moment);

    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<BoxEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let stream = event.stream.to_string();
        let (category, number) = (event.category(), event.stream_id().parse()?);
        match &event.data {
            BoxEvent::Kept(kept) => {
                let Kept { decimal, at, local, day, clock, id, flag, .. } = *kept;
                rows.put(Contents {
                    stream,
                    label: kept.label.clone(),
                    city: kept.city.as_deref().map(CiText::from),
                    flag,
                    small: kept.small,
                    float: kept.float,
                    decimal,
                    at,
                    local,
                    day,
                    clock,
                    id,
                    json: kept.json.clone(),
                    bytes: kept.bytes.clone(),
                    tags: kept.tags.clone(),
                    numbers: kept.numbers.clone(),
                    floats: kept.floats.clone(),
                    ids: kept.ids.clone(),
                    version: i64::try_from(event.version)?,
                });
                let (label, bytes) = (kept.label.as_str(), kept.bytes.as_slice());
                let thing =
                    rows.get_or_insert_with::<Thing>((category, number, label, flag, decimal, id, bytes), || {
                        let (category, label, bytes) = (category.to_owned(), label.to_owned(), bytes.to_vec());
                        Thing { category, number, label, flag, decimal, id, bytes, times: 0 }
                    });
                thing.times += 1;
                let moment = rows.get_or_insert_with::<Moment>((category, number, at, local, day, clock), || Moment {
                    category: category.to_owned(),
                    number,
                    at,
                    local,
                    day,
                    clock,
                    times: 0,
                });
                moment.times += 1;
            }
            BoxEvent::Emptied => {
                rows.delete::<Contents>(stream.as_str());
                for Thing { label, flag, decimal, id, bytes, .. } in rows.find(Thing::by_box(category, number)) {
                    rows.delete::<Thing>((category, number, label.as_str(), flag, decimal, id, bytes.as_slice()));
                }
                for Moment { at, local, day, clock, .. } in rows.find(Moment::by_box(category, number)) {
                    rows.delete::<Moment>((category, number, at, local, day, clock));
                }
            }
        }
        Ok(())
    }
}

gnomon_sdk::export!(Module);

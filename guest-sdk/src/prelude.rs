//! What nearly every projection and upcaster uses: `use gnomon_sdk::prelude::*;`

pub use rust_decimal::Decimal;
pub use uuid::Uuid;

pub use crate::{
    Date, Event, Events, Failure, Json, Partition, Prefetch, Projection, Rows, Table, TextEnum, Timestamp, Upcast,
    Upcasted, fail, log,
};

//! What nearly every projection and upcaster uses: `use gnomon_sdk::prelude::*;`

pub use jiff::{Timestamp, civil::Date};
pub use rust_decimal::Decimal;
pub use uuid::Uuid;

pub use crate::{
    Event, Events, Failure, Json, Keys, Partition, Projection, Rows, Table, TextEnum, Upcast, Upcasted, fail, log,
};

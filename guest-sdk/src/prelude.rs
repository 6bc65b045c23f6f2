//! What nearly every projection, upcaster and reactor uses: `use gnomon_sdk::prelude::*;`

pub use rust_decimal::Decimal;
pub use uuid::Uuid;

pub use crate::{
    CiText, Date, Event, Events, Failure, Json, LocalTimestamp, Partition, Prefetch, Projection, Rows, Table, TextEnum,
    TimeOfDay, Timestamp, Upcast, Upcasted, fail, log,
    reactor::{
        AppendRefused, CallFailed, CallSucceeded, Effects, ExpectedVersion, Message, NewEvent, Reactor, ScheduleDue,
    },
};

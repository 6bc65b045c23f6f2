#![doc = include_str!("../README.md")]
#![allow(clippy::test_attr_in_doctest, reason = "the tests of the README are run in the crate that its readers make")]

// The derives generate paths that begin with `gnomon_sdk`, also in the unit tests of this crate.
#[cfg(test)]
extern crate self as gnomon_sdk;

mod batch;
#[cfg(target_family = "wasm")]
mod bindings;
mod column;
mod current_event;
mod event;
mod export;
mod failure;
#[cfg(target_family = "wasm")]
mod guest;
mod host;
mod key;
mod limits;
pub mod log;
pub mod prelude;
mod projection;
pub mod reactor;
mod reading;
mod rows;
pub mod schema;
mod table;
mod tables;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod upcaster;
mod value;

pub use chrono;
pub use gnomon_sdk_derive::{Events, Table, TextEnum};
pub use rust_decimal;
pub use serde_json;
pub use uuid;

pub use self::{
    column::{CiText, Column, Date, Json, LocalTimestamp, TextEnum, TimeOfDay, Timestamp},
    event::{Event, EventText, Events},
    failure::Failure,
    projection::{Partition, Projection, check_categories},
    reactor::{Effects, Reactor},
    rows::{Prefetch, Rows},
    table::{Find, Table},
    tables::Tables,
    upcaster::{Upcast, Upcasted, Upcaster},
};

/// Items that `export!`, `export_upcaster!` and `export_reactor!` use.
#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub mod __export {
    pub use crate::bindings::{
        declared::Package,
        generated as bindings,
        projection::{Component, export_projection},
        reactor::{Component as ReactorComponent, export_reactor, generated as reactor_bindings},
        upcaster::{Component as UpcasterComponent, export_upcaster, generated as upcaster_bindings},
    };
}

//! The tables of one build in Postgres.

mod apply;
mod cells;
mod extend;
mod key_order;
mod lookup;
mod record_set;
mod schema;
mod statements;
mod tables;

pub use self::{
    extend::{CannotExtend, Extension},
    lookup::{Find, LookupError, RowsTooLarge},
    record_set::RecordSet,
    schema::CreateError,
    tables::TableSet,
};

#[cfg(test)]
mod declared_tests;
#[cfg(test)]
mod tests;

//! The tables of one build in Postgres.

mod apply;
mod cells;
mod lookup;
mod schema;
mod statements;
mod tables;

pub use self::{
    lookup::{Find, LookupError, RowsTooLarge},
    schema::CreateError,
    tables::TableSet,
};

#[cfg(test)]
mod declared_tests;
#[cfg(test)]
mod tests;

//! The tables that projections declare and fill: their shape, their rows, and queries on them.

pub mod compare;
mod content_hash;
mod decimal;
mod identifier;
pub mod query;
#[cfg(test)]
pub(crate) mod samples;
mod storage;
mod table;
mod value;
mod write_set;

pub use gnomon_values::json::{CanonicalJson, JsonError};

pub use self::{
    content_hash::{ContentHash, ContentHashes, TableHash, content_hash},
    decimal::{Decimal, DecimalError},
    identifier::{Identifier, IdentifierError},
    storage::{LookupError, RowsTooLarge, TableSet},
    table::{
        Column, ColumnDeclaration, DeclarationError, Index, IndexDeclaration, ShapeError, Table, TableDeclaration,
    },
    value::{ColumnType, Float, Key, Row, Value, cells_bytes},
    write_set::{TableWrites, WriteSet},
};

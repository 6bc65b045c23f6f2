//! The tables that projections declare and fill: their shape, their rows, and queries on them.

mod change;
mod changed_keys;
pub mod columnar;
mod comment;
pub mod compare;
mod content_hash;
mod decimal;
mod declaration;
mod encoded_rows;
mod full_text;
mod hashed_key;
mod identifier;
pub mod query;
#[cfg(test)]
pub(crate) mod samples;
mod shown;
mod storage;
mod table;
mod value;
mod write_set;
mod written_index;

pub use gnomon_values::json::{CanonicalJson, JsonError};

pub use self::{
    changed_keys::{ChangedKeys, MAX_CHANGED_KEYS, MAX_CHANGED_KEYS_BYTES, key_text},
    comment::comment,
    content_hash::{ContentHash, ContentHashes, TableHash, content_hash},
    decimal::{Decimal, DecimalError},
    declaration::{
        ColumnDeclaration, DeclarationError, IndexDeclaration, IndexKindDeclaration, ReferenceDeclaration,
        TableDeclaration, Weight, WeightedColumn,
    },
    encoded_rows::{decode_rows, encode_rows},
    hashed_key::HashedKey,
    identifier::{Identifier, IdentifierError},
    shown::shown_row,
    storage::{CannotExtend, CreateError, Extension, Find, LookupError, RecordSet, RowsTooLarge, TableSet},
    table::{Column, Index, IndexKind, Reference, ShapeError, Table},
    value::{ColumnType, Float, Key, Row, Value, cells_bytes},
    write_set::{TableWrites, WriteSet},
};

//! The items that the derives use: the schemas of tables and events, and the values of cells.
//!
//! An author who derives [`Events`](crate::Events), [`Table`](crate::Table) and [`TextEnum`](crate::TextEnum) needs this module
//! only to implement a type of column:
//!
//! ```
//! use gnomon_sdk::{Column, prelude::*, schema::{ColumnType, NotNull, Value}};
//!
//! /// An account number whose checksum is right.
//! struct Iban(String);
//!
//! impl Column for Iban {
//!     const TYPE: ColumnType = ColumnType::Text;
//!
//!     fn to_value(&self) -> Result<Value, Failure> {
//!         self.0.to_value()
//!     }
//!
//!     fn from_value(value: Value) -> Result<Self, Failure> {
//!         String::from_value(value).map(Self)
//!     }
//! }
//!
//! impl NotNull for Iban {}
//!
//! #[derive(Table)]
//! #[table("accounts")]
//! struct Account {
//!     #[key]
//!     account: String,
//!     iban: Option<Iban>,
//! }
//! ```

pub use crate::{
    column::{ElementsColumn, IndexColumn, KeyColumn, NotNull, WordsColumn},
    event::{Payload, WantedType},
    key::{IntoKey, Key},
    table::{ColumnSchema, IndexKind, IndexSchema, ReferenceSchema, TableSchema, Weight},
    value::{ColumnType, Float, Value},
};
#[doc(hidden)]
pub use crate::{
    column::{is_text, text_value, text_variant},
    table::{Cells, check_reference},
};

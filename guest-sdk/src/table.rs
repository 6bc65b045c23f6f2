//! The trait of the rows of a table.

mod shape;

use std::marker::PhantomData;

pub use self::shape::{ColumnSchema, IndexKind, IndexSchema, ReferenceSchema, TableSchema, Weight, check_reference};
use crate::{
    Failure,
    schema::{Key, Value},
};

/// A row of a table of the read model.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// #[derive(Table)]
/// #[table("flights")]                            // the table's name, so renaming the struct is safe
/// #[index("by_aircraft", columns(aircraft))]
/// #[index("by_route", columns(origin, dest))]
/// struct Flight {
///     #[key]                                     // several #[key] fields form one key, in their order
///     flight: String,
///     aircraft: Option<String>,
///     origin: String,
///     #[column("destination")]                   // the column's name, if it is not the field's
///     dest: String,
/// }
/// ```
///
/// [`Column`](crate::Column) lists the types of fields. Names of tables, columns and indexes consist of `a` to `z`, `0` to `9` and
/// `_`, and are checked when the projection is compiled.
///
/// An index with `columns(…)` speeds up queries, and [`Rows::find`](crate::Rows::find) searches by it: the derive generates a function
/// with its name, such as `Flight::by_route("JFK", "LHR")`. Indexes with `gin(…)`, over json and arrays, and with
/// `full_text(language = "english", columns(title = "A", body = "B"))` are for queries only.
///
/// `#[references(Airport)]` on a field says that it holds the key of a row of another table of the projection, or of the same one;
/// `#[references(Leg, columns(flight, leg))]` on the struct says it of several fields. Nothing enforces it.
///
/// The first paragraph of the doc comment on the struct and on each field is its description in Postgres and in the API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the row of a table",
    note = "derive it: `#[derive(Table)]` and `#[table(\"…\")]` on a struct with named fields"
)]
pub trait Table: Sized + 'static {
    /// The key of a row: the type of the `#[key]` field (`&str` for a `String`), or a tuple for several.
    type Key<'a>: Key
    where
        Self: 'a;

    /// The name of the table.
    const NAME: &'static str;

    /// The declaration of the table.
    const SCHEMA: TableSchema;

    /// The key of this row.
    fn key(&self) -> Self::Key<'_>;

    /// See [`Column::settle`](crate::Column::settle). Returns the most bytes that the cells of the row can hold.
    ///
    /// # Errors
    /// Names the column that cannot be stored.
    fn settle(&mut self) -> Result<usize, Failure>;

    /// The row as cells, one for each column.
    ///
    /// # Errors
    /// Names the column that cannot be stored.
    fn to_cells(&self) -> Result<Vec<Value>, Failure>;

    /// The row that these cells are.
    ///
    /// # Errors
    /// Names the cell that does not fit.
    fn from_cells(cells: Vec<Value>) -> Result<Self, Failure>;
}

/// A search by an index for [`Rows::find`](crate::Rows::find), made by the function that the derive generates for the index.
#[derive(Debug)]
pub struct Find<T> {
    pub(crate) index: &'static str,
    pub(crate) values: Result<Vec<Value>, Failure>,
    table: PhantomData<fn() -> T>,
}

impl<T: Table> Find<T> {
    #[doc(hidden)]
    #[must_use]
    pub fn new(index: &'static str, values: impl IntoIterator<Item = Result<Value, Failure>>) -> Self {
        Self { index, values: values.into_iter().collect(), table: PhantomData }
    }
}

/// Reads the cells of a row one by one.
#[derive(Debug)]
pub struct Cells<const COLUMNS: usize>(std::vec::IntoIter<Value>);

impl<const COLUMNS: usize> Cells<COLUMNS> {
    /// Takes the cells of a whole row.
    ///
    /// # Errors
    /// Their number is not that of the table's columns.
    pub fn new(cells: Vec<Value>) -> Result<Self, Failure> {
        if cells.len() != COLUMNS {
            return Err(Failure::new(format!("a row has {COLUMNS} cells, but the host returned {}", cells.len())));
        }
        Ok(Self(cells.into_iter()))
    }

    /// The next cell. Call it once for each column.
    #[allow(clippy::should_implement_trait, reason = "an iterator's `next` would return an Option that is never None")]
    pub fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }
}

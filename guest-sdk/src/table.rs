//! A table as a projection declares it: the type of its rows.

mod shape;

use std::marker::PhantomData;

pub use self::shape::{ColumnSchema, IndexSchema, TableSchema};
use crate::{
    Failure,
    schema::{Key, Value},
};

/// The row of a table of the read model.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// #[derive(Table)]
/// #[table("flights")]                            // never taken from the code, so renaming the struct is safe
/// #[index("by_aircraft", columns(aircraft))]
/// #[index("by_route", columns(origin, dest))]
/// struct Flight {
///     #[key]                                     // several fields with #[key] make up one key, in their order
///     flight: String,
///     aircraft: Option<String>,
///     origin: String,
///     #[column("destination")]                   // what the column is called, if not like the field
///     dest: String,
/// }
/// ```
///
/// [`Column`](crate::Column) says what fields can hold. Names of tables, columns and indexes consist of `a` to `z`, `0` to
/// `9` and `_`, and are checked as the projection is compiled.
///
/// An index serves queries, and [`Rows::find`](crate::Rows::find): the derive makes a function of its name, such as
/// `Flight::by_route("JFK", "LHR")`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the row of a table",
    note = "derive it: `#[derive(Table)]` and `#[table(\"…\")]` on a struct with named fields"
)]
pub trait Table: Sized + 'static {
    /// What identifies a row: the type of the `#[key]` field (`&str` for a `String`), or a tuple for several.
    type Key<'a>: Key
    where
        Self: 'a;

    /// What the host is told of the table.
    const SCHEMA: TableSchema;

    /// The key of this row.
    fn key(&self) -> Self::Key<'_>;

    /// See [`Column::settle`](crate::Column::settle). Answers how many bytes the cells of the row hold at most.
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

/// Which rows to find: made by the function that the derive makes for each index, used by
/// [`Rows::find`](crate::Rows::find).
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

/// The cells of a row, one after the other.
#[derive(Debug)]
pub struct Cells<const COLUMNS: usize>(std::vec::IntoIter<Value>);

impl<const COLUMNS: usize> Cells<COLUMNS> {
    /// Takes the cells of a whole row.
    ///
    /// # Errors
    /// There are not as many as the table has columns.
    pub fn new(cells: Vec<Value>) -> Result<Self, Failure> {
        if cells.len() != COLUMNS {
            return Err(Failure::new(format!("a row has {COLUMNS} cells, {} came", cells.len())));
        }
        Ok(Self(cells.into_iter()))
    }

    /// The next cell, of as many as were counted.
    #[allow(clippy::should_implement_trait, reason = "an iterator's `next` would end in an Option that is never None")]
    pub fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }
}

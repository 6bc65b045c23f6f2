//! What a column can be made of.

mod bytes;
mod json;
mod number;
mod scalar;
mod text;
mod text_enum;
mod time;

pub use self::{
    json::Json,
    text_enum::{TextEnum, is_text, text_value, text_variant},
    time::{Date, Timestamp},
};
use crate::{
    Failure,
    limits::check_cell,
    schema::{ColumnType, Key, Value},
};

/// A type that a column can hold.
///
/// | Rust | column | |
/// |---|---|---|
/// | `String` | text | NUL (`\0`) is a failure, as Postgres cannot hold it |
/// | an enum with [`TextEnum`] | text | a closed set of texts |
/// | `bool` | bool | |
/// | `i8`, `i16`, `i32`, `i64`, `u8`, `u16`, `u32` | i64 | |
/// | `f64` | f64 | bit for bit, NaN and the infinities too; no key; −0.0 is kept as 0.0 |
/// | `rust_decimal::Decimal` | decimal | every digit, by value: `1.50` is kept as `1.5` |
/// | [`Timestamp`](crate::Timestamp), `chrono::DateTime<Utc>` | timestamp | from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z; what is finer than a microsecond is cut off, towards the past; a leap second (`:60`) is a failure |
/// | [`Date`](crate::Date), `chrono::NaiveDate` | date | from 0001-01-01 to 9999-12-31 |
/// | `uuid::Uuid` | uuid | |
/// | [`Json<T>`], `serde_json::Value` | json | every digit of its numbers; neither key nor index |
/// | `Vec<u8>` | bytes | |
/// | `Option` of any of these | the same, nullable | no key |
///
/// After each event a row is [settled](Column::settle): it becomes what the host would give back. So a projection never
/// sees more digits of a number just because two events came in one batch.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold `{Self}`",
    label = "not a type of column",
    note = "columns hold String, bool, i8 to i64, u8 to u32, f64, Decimal, Timestamp, Date, Uuid, Vec<u8>, Json<…>, enums that derive TextEnum, and Option of these",
    note = "`Json<{Self}>` holds any type of serde's"
)]
pub trait Column: Sized {
    /// The type of the column.
    const TYPE: ColumnType;

    /// Whether a cell may be null.
    const NULLABLE: bool = false;

    /// Makes the value what it will be once it was stored and read back.
    ///
    /// # Errors
    /// It cannot be stored.
    fn settle(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Settles the value, and answers how many bytes its cell holds at most: those of its text, its decimal digits, its JSON
    /// or its bytes. Limits of rows and indexes count them.
    ///
    /// # Errors
    /// It cannot be stored.
    #[doc(hidden)]
    fn settle_sized(&mut self) -> Result<usize, Failure> {
        self.settle()?;
        let cell = self.to_value()?;
        check_cell(Self::TYPE, Self::NULLABLE, &cell)?;
        Ok(cell.heap_bytes())
    }

    /// The value as a cell.
    ///
    /// # Errors
    /// It cannot be stored.
    fn to_value(&self) -> Result<Value, Failure>;

    /// The value of a cell.
    ///
    /// # Errors
    /// The cell holds something else.
    fn from_value(value: Value) -> Result<Self, Failure>;
}

/// A [`Column`] that is never null; all but `Option`.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold an Option of `{Self}`",
    label = "not a type that may be left out"
)]
pub trait NotNull: Column {}

/// A [`Column`] that can identify a row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a type of key",
    note = "a key is what equal rows have in common: no floats, no json and nothing that may be missing"
)]
pub trait KeyColumn: NotNull {
    /// How the key is given: `&str` for `String`, `&[u8]` for `Vec<u8>`, and the other types as they are.
    type Key<'a>: Key
    where
        Self: 'a;

    /// The key that this value is.
    fn as_key(&self) -> Self::Key<'_>;
}

/// A [`Column`] that an index can have.
#[diagnostic::on_unimplemented(
    message = "an index cannot have a column of `{Self}`",
    label = "not a type that can be indexed",
    note = "json has no order; keep what you look for in a column of its own"
)]
pub trait IndexColumn: Column {
    /// How the value that is looked for is given: `&str` for `String`, `&[u8]` for `Vec<u8>`, `T` for `Option<T>`, and the
    /// other types as they are.
    type Wanted<'a>
    where
        Self: 'a;

    /// The value that is looked for, as a cell.
    ///
    /// # Errors
    /// No cell can hold it.
    fn wanted_value(wanted: Self::Wanted<'_>) -> Result<Value, Failure>;
}

impl<C: NotNull> Column for Option<C> {
    const TYPE: ColumnType = C::TYPE;
    const NULLABLE: bool = true;

    fn settle(&mut self) -> Result<(), Failure> {
        self.as_mut().map_or(Ok(()), C::settle)
    }

    fn settle_sized(&mut self) -> Result<usize, Failure> {
        self.as_mut().map_or(Ok(0), C::settle_sized)
    }

    fn to_value(&self) -> Result<Value, Failure> {
        self.as_ref().map_or(Ok(Value::Null), C::to_value)
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(None),
            value => C::from_value(value).map(Some),
        }
    }
}

impl<C: IndexColumn + NotNull> IndexColumn for Option<C> {
    type Wanted<'a>
        = C::Wanted<'a>
    where
        Self: 'a;

    fn wanted_value(wanted: Self::Wanted<'_>) -> Result<Value, Failure> {
        C::wanted_value(wanted)
    }
}

/// A cell that holds something else than its column says.
fn mismatch(expected: ColumnType, found: &Value) -> Failure {
    Failure::new(format!("expected a cell of type {expected}, found {found}"))
}

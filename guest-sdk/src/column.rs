//! The types that a column can hold.

mod array;
mod bytes;
mod ci_text;
mod json;
mod number;
mod scalar;
mod text;
mod text_enum;
mod time;

pub use self::{
    ci_text::CiText,
    json::Json,
    text_enum::{TextEnum, is_text, text_value, text_variant},
    time::{Date, LocalTimestamp, TimeOfDay, Timestamp},
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
/// | an enum that derives [`TextEnum`] | text | a closed set of texts |
/// | [`CiText`] | citext | compared and searched without regard to case by Postgres, kept as it was written; cannot be a key |
/// | `bool` | bool | |
/// | `i8`, `i16`, `i32`, `i64`, `u8`, `u16`, `u32` | i64 | |
/// | `f64` | f64 | exact to the bit, NaN and the infinities included; cannot be a key; −0.0 is kept as 0.0 |
/// | `rust_decimal::Decimal` | decimal | every digit, by value: `1.50` is kept as `1.5` |
/// | [`Timestamp`](crate::Timestamp), `chrono::DateTime<Utc>` | timestamp | from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z; fractions finer than a microsecond are truncated, towards the past; a leap second (`:60`) is a failure |
/// | [`Date`](crate::Date), `chrono::NaiveDate` | date | from 0001-01-01 to 9999-12-31 |
/// | [`LocalTimestamp`](crate::LocalTimestamp), `chrono::NaiveDateTime` | local_timestamp | a date and a time of day without a time zone; the limits are those of timestamps |
/// | [`TimeOfDay`](crate::TimeOfDay), `chrono::NaiveTime` | time | from 00:00:00 to 23:59:59.999999; rounded as timestamps are |
/// | `uuid::Uuid` | uuid | |
/// | [`Json<T>`], `serde_json::Value` | json | every digit of its numbers; cannot be a key; an index of kind `gin` finds what it contains |
/// | `Vec<u8>` | bytes | |
/// | `Vec<String>`, `Vec<i64>`, `Vec<f64>`, `Vec<Uuid>` | text[], i64[], f64[], uuid[] | elements are never null; cannot be a key; an index of kind `gin` finds what they contain |
/// | `Option` of any of these | the same, nullable | cannot be a key |
///
/// After each event a row is [settled](Column::settle): it becomes what the host would return. So a projection sees the same
/// values whether or not two events are in one batch.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold `{Self}`",
    label = "not a type of column",
    note = "columns hold String, CiText, bool, i8 to i64, u8 to u32, f64, Decimal, Timestamp, LocalTimestamp, Date, TimeOfDay, Uuid, Vec<u8>, Vec of String, i64, f64 and Uuid, Json<…>, enums that derive TextEnum, and Option of these",
    note = "`Json<{Self}>` holds any type of serde's"
)]
pub trait Column: Sized {
    /// The type of the column.
    const TYPE: ColumnType;

    /// Whether a cell may be null.
    const NULLABLE: bool = false;

    /// Makes the value equal to what is read back after it was stored.
    ///
    /// # Errors
    /// It cannot be stored.
    fn settle(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Settles the value, and returns the most bytes that its cell can hold: those of its text, its decimal digits, its JSON
    /// or its bytes. They count towards the limits of rows and indexes.
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
    note = "floats, json, arrays, CiText and Option cannot be keys; in place of CiText, take its text in lower case as String"
)]
pub trait KeyColumn: NotNull {
    /// The type that a key is given as: `&str` for `String`, `&[u8]` for `Vec<u8>`, the type itself otherwise.
    type Key<'a>: Key
    where
        Self: 'a;

    /// This value as a key.
    fn as_key(&self) -> Self::Key<'_>;
}

/// A [`Column`] that can be indexed.
#[diagnostic::on_unimplemented(
    message = "an index cannot have a column of `{Self}`",
    label = "not a type that can be indexed",
    note = "json and arrays have no order: queries search them by an index of kind gin, as in #[index(\"by_tags\", gin(tags))]; for `find`, copy the value to search for into a column of its own"
)]
pub trait IndexColumn: Column {
    /// The type that a searched value is given as: `&str` for `String`, `&[u8]` for `Vec<u8>`, that of `T` for `Option<T>`, the
    /// type itself otherwise.
    type Wanted<'a>
    where
        Self: 'a;

    /// The searched value as a cell.
    ///
    /// # Errors
    /// No cell can hold it.
    fn wanted_value(wanted: Self::Wanted<'_>) -> Result<Value, Failure>;
}

/// A [`Column`] of json or of an array, whose elements an index of kind `gin` holds.
#[diagnostic::on_unimplemented(
    message = "an index of kind gin cannot have a column of `{Self}`",
    label = "neither json nor an array",
    note = "it holds the elements of Json<…>, and of Vec of String, i64, f64 and Uuid; for other types name them in columns(…)"
)]
pub trait ElementsColumn: Column {}

/// A [`Column`] of text, whose words a full-text index holds.
#[diagnostic::on_unimplemented(
    message = "a full-text index cannot have a column of `{Self}`",
    label = "not text",
    note = "it holds the words of String, CiText, and Option of these"
)]
pub trait WordsColumn: Column {}

impl<C: ElementsColumn + NotNull> ElementsColumn for Option<C> {}

impl<C: WordsColumn + NotNull> WordsColumn for Option<C> {}

impl WordsColumn for String {}

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

/// The failure for a cell of another type than its column.
fn mismatch(expected: ColumnType, found: &Value) -> Failure {
    Failure::new(format!("expected a cell of type {expected}, found {found}"))
}

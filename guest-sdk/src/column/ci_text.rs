//! Columns of text that Postgres compares without regard to case.

use std::{
    borrow::Borrow,
    convert::Infallible,
    fmt,
    ops::{Deref, DerefMut},
};

use gnomon_values::cells::check_text;
use serde::{Deserialize, Serialize};

use super::{Column, IndexColumn, NotNull, WordsColumn, mismatch};
use crate::{
    Failure,
    schema::{ColumnType, Value},
};

/// A column of text that queries compare, order and search without regard to case, as for addresses of mail. It is kept as it was
/// written.
///
/// In a projection it is compared as Rust compares texts: only Postgres knows which spellings are equal. So it cannot be a key, and
/// [`Rows::find`](crate::Rows::find) cannot search for it. Where a row is found by it, keep a copy in lower case as `String`.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// #[derive(Table)]
/// #[table("customers")]
/// #[index("by_mail", columns(mail))]
/// struct Customer {
///     #[key]
///     customer: String,
///     mail: CiText,
/// }
/// # fn sketch(rows: &mut Rows) {
/// rows.put(Customer { customer: "ada".into(), mail: "Ada@Example.org".into() });
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CiText(
    /// The text as it was written.
    pub String,
);

/// What a search would be given for [`CiText`]: there is no such search, so there is no value of this type.
#[derive(Clone, Copy, Debug)]
pub struct CiTextCannotBeFound(Infallible);

impl Deref for CiText {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl DerefMut for CiText {
    fn deref_mut(&mut self) -> &mut String {
        &mut self.0
    }
}

impl Borrow<str> for CiText {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CiText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for CiText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for CiText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<CiText> for String {
    fn from(text: CiText) -> Self {
        text.0
    }
}

impl Column for CiText {
    const TYPE: ColumnType = ColumnType::CiText;

    fn settle(&mut self) -> Result<(), Failure> {
        Ok(check_text(&self.0)?)
    }

    fn settle_sized(&mut self) -> Result<usize, Failure> {
        self.settle()?;
        Ok(self.0.len())
    }

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(Value::CiText(self.0.clone()))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::CiText(text) => Ok(Self(text)),
            other => Err(mismatch(Self::TYPE, &other)),
        }
    }
}

impl NotNull for CiText {}

impl WordsColumn for CiText {}

impl IndexColumn for CiText {
    type Wanted<'a> = CiTextCannotBeFound;

    fn wanted_value(wanted: CiTextCannotBeFound) -> Result<Value, Failure> {
        match wanted.0 {}
    }
}

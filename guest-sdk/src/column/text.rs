//! Columns of text.

use std::hash::{Hash, Hasher};

use gnomon_values::cells::check_text;

use super::{Column, IndexColumn, KeyColumn, NotNull, mismatch};
use crate::{
    Failure,
    schema::{ColumnType, IntoKey, Key, Value},
};

impl Column for String {
    const TYPE: ColumnType = ColumnType::Text;

    fn settle(&mut self) -> Result<(), Failure> {
        Ok(check_text(self)?)
    }

    fn settle_sized(&mut self) -> Result<usize, Failure> {
        self.settle()?;
        Ok(self.len())
    }

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(Value::Text(self.clone()))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(mismatch(Self::TYPE, &other)),
        }
    }
}

impl NotNull for String {}

impl IndexColumn for String {
    type Wanted<'a> = &'a str;

    fn wanted_value(wanted: &str) -> Result<Value, Failure> {
        Ok(Value::Text(wanted.to_owned()))
    }
}

impl KeyColumn for String {
    type Key<'a> = &'a str;

    fn as_key(&self) -> &str {
        self
    }
}

impl Key for &str {
    fn hash(&self, hasher: &mut impl Hasher) {
        Hash::hash(*self, hasher);
    }

    fn is(&self, cells: &[Value]) -> bool {
        matches!(cells, [Value::Text(text)] if text == self)
    }

    fn push_cells(&self, cells: &mut Vec<Value>) {
        cells.push(Value::Text((*self).to_owned()));
    }
}

impl<'a, T: AsRef<str> + ?Sized> IntoKey<&'a str> for &'a T {
    fn into_key(self) -> &'a str {
        self.as_ref()
    }
}

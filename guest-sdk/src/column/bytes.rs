//! Columns of bytes.

use std::hash::{Hash, Hasher};

use super::{Column, IndexColumn, KeyColumn, NotNull, mismatch};
use crate::{
    Failure,
    schema::{ColumnType, IntoKey, Key, Value},
};

impl Column for Vec<u8> {
    const TYPE: ColumnType = ColumnType::Bytes;

    fn settle_sized(&mut self) -> Result<usize, Failure> {
        Ok(self.len())
    }

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(Value::Bytes(self.clone()))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(mismatch(Self::TYPE, &other)),
        }
    }
}

impl NotNull for Vec<u8> {}

impl IndexColumn for Vec<u8> {
    type Wanted<'a> = &'a [u8];

    fn wanted_value(wanted: &[u8]) -> Result<Value, Failure> {
        Ok(Value::Bytes(wanted.to_owned()))
    }
}

impl KeyColumn for Vec<u8> {
    type Key<'a> = &'a [u8];

    fn as_key(&self) -> &[u8] {
        self
    }
}

impl Key for &[u8] {
    fn hash(&self, hasher: &mut impl Hasher) {
        Hash::hash(*self, hasher);
    }

    fn is(&self, cells: &[Value]) -> bool {
        matches!(cells, [Value::Bytes(bytes)] if bytes == self)
    }

    fn push_cells(&self, cells: &mut Vec<Value>) {
        cells.push(Value::Bytes((*self).to_owned()));
    }
}

impl<'a> IntoKey<&'a [u8]> for &'a [u8] {
    fn into_key(self) -> &'a [u8] {
        self
    }
}

impl<'a> IntoKey<&'a [u8]> for &'a Vec<u8> {
    fn into_key(self) -> &'a [u8] {
        self
    }
}

impl<'a, const LENGTH: usize> IntoKey<&'a [u8]> for &'a [u8; LENGTH] {
    fn into_key(self) -> &'a [u8] {
        self
    }
}

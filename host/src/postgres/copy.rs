//! Rows in the binary format of COPY, to be sent and received.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.55.9.4>

use bytes::{Buf as _, Bytes};
use bytestring::ByteString;

use super::time::{PgDate, PgTimestamp};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The number of the type `text`, which is the same in each Postgres.
const TEXT_OID: i32 = 25;

/// A buffer of rows for `COPY … FROM STDIN (FORMAT binary)`.
#[derive(Debug)]
pub struct BinaryCopy {
    buffer: Vec<u8>,
}

impl BinaryCopy {
    /// A buffer without rows, with the header written.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(bytes + 32);
        buffer.extend_from_slice(SIGNATURE);
        // No flags, no header extension.
        buffer.extend_from_slice(&[0; 8]);
        Self { buffer }
    }

    /// Begins a row of this many fields.
    pub fn row(&mut self, fields: i16) {
        self.buffer.extend_from_slice(&fields.to_be_bytes());
    }

    /// A null of any type.
    pub fn null(&mut self) {
        self.buffer.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// A field whose binary form is these bytes: `text`, `json`, `bytea`, `uuid`.
    ///
    /// # Panics
    /// A field of 2 GiB or more. The limits that are checked before are far smaller.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let Ok(length) = i32::try_from(bytes.len()) else { panic!("a field of {} bytes", bytes.len()) };
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(bytes);
    }

    /// A `bigint`.
    pub fn i64(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    /// An `integer`.
    pub fn i32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A `double precision`.
    pub fn f64(&mut self, value: f64) {
        self.bytes(&value.to_be_bytes());
    }

    /// A `boolean`.
    pub fn bool(&mut self, value: bool) {
        self.bytes(&[u8::from(value)]);
    }

    /// A `timestamptz`.
    pub fn timestamp(&mut self, value: PgTimestamp) {
        self.i64(value.wire());
    }

    /// A `date`.
    pub fn date(&mut self, value: PgDate) {
        self.i32(value.wire());
    }

    /// A `text[]`.
    ///
    /// # Panics
    /// An array of 2 GiB or more. The limits that are checked before are far smaller.
    pub fn texts<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t str>) {
        let mut array = Self { buffer: Vec::new() };
        let Ok(length) = i32::try_from(texts.len()) else { panic!("an array of {} texts", texts.len()) };
        // Dimensions, whether there are nulls, and the type of the elements; then the length, and the number of the first element.
        for number in [i32::from(length > 0), 0, TEXT_OID] {
            array.buffer.extend_from_slice(&number.to_be_bytes());
        }
        if length > 0 {
            array.buffer.extend_from_slice(&length.to_be_bytes());
            array.buffer.extend_from_slice(&1_i32.to_be_bytes());
        }
        texts.for_each(|text| array.bytes(text.as_bytes()));
        self.bytes(&array.buffer);
    }

    /// Ends the buffer.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.buffer.extend_from_slice(&(-1_i16).to_be_bytes());
        self.buffer
    }
}

/// The output of `COPY … TO STDOUT (FORMAT binary)`, read row by row and field by field.
#[derive(Debug)]
pub struct BinaryRows {
    rest: Bytes,
}

/// The output is not in the binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Postgres sent a COPY that is not in the binary format")]
pub struct CopyFormatError;

impl From<CopyFormatError> for sqlx::Error {
    fn from(error: CopyFormatError) -> Self {
        Self::Decode(error.into())
    }
}

impl BinaryRows {
    /// Reads the header.
    ///
    /// # Errors
    /// The buffer does not begin with one.
    pub fn new(buffer: Bytes) -> Result<Self, CopyFormatError> {
        let mut rows = Self { rest: buffer };
        if rows.take(SIGNATURE.len())? != SIGNATURE {
            return Err(CopyFormatError);
        }
        rows.take(4)?;
        let extension = i32::from_be_bytes(rows.array()?);
        rows.take(usize::try_from(extension).map_err(|_| CopyFormatError)?)?;
        Ok(rows)
    }

    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// The buffer ends too early.
    pub fn next_row(&mut self) -> Result<bool, CopyFormatError> {
        Ok(i16::from_be_bytes(self.array()?) >= 0)
    }

    /// The next field of the row; `None` if it is null.
    ///
    /// # Errors
    /// The buffer ends too early.
    pub fn field(&mut self) -> Result<Option<Bytes>, CopyFormatError> {
        match i32::from_be_bytes(self.array()?) {
            -1 => Ok(None),
            length => self.take(usize::try_from(length).map_err(|_| CopyFormatError)?).map(Some),
        }
    }

    /// The next field, which is not null and has this many bytes.
    ///
    /// # Errors
    /// It is null, or of another length.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CopyFormatError> {
        if i32::from_be_bytes(self.array()?) != i32::try_from(N).map_err(|_| CopyFormatError)? {
            return Err(CopyFormatError);
        }
        self.array()
    }

    /// The next field, which is text or null: a part of the buffer.
    ///
    /// # Errors
    /// It is not text.
    pub fn text(&mut self) -> Result<Option<ByteString>, CopyFormatError> {
        self.field()?.map(|bytes| ByteString::try_from(bytes).map_err(|_| CopyFormatError)).transpose()
    }

    /// The next field, which is a `text[]` of one dimension, without nulls, or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn texts(&mut self) -> Result<Option<Vec<ByteString>>, CopyFormatError> {
        let Some(field) = self.field()? else { return Ok(None) };
        let mut array = Self { rest: field };
        let dimensions = i32::from_be_bytes(array.array()?);
        array.take(8)?;
        let length = match dimensions {
            0 => 0,
            1 => i32::from_be_bytes(array.array()?),
            _ => return Err(CopyFormatError),
        };
        if dimensions == 1 {
            array.take(4)?;
        }
        (0..length).map(|_| array.text()?.ok_or(CopyFormatError)).collect::<Result<_, _>>().map(Some)
    }

    /// The next field, a `bigint`.
    ///
    /// # Errors
    /// It is null, or something else.
    pub fn i64(&mut self) -> Result<i64, CopyFormatError> {
        self.fixed().map(i64::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CopyFormatError> {
        let array = *self.rest.first_chunk().ok_or(CopyFormatError)?;
        self.rest.advance(N);
        Ok(array)
    }

    fn take(&mut self, bytes: usize) -> Result<Bytes, CopyFormatError> {
        if bytes > self.rest.len() {
            return Err(CopyFormatError);
        }
        Ok(self.rest.split_to(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let mut rows = BinaryCopy::with_capacity(0);
        rows.row(3);
        rows.i64(-7);
        rows.null();
        rows.bytes("é".as_bytes());
        rows.row(1);
        rows.bytes(b"");
        let buffer = rows.finish();

        let mut rows = BinaryRows::new(buffer.into()).unwrap();
        assert_eq!(rows.next_row(), Ok(true));
        assert_eq!((rows.i64(), rows.text(), rows.text()), (Ok(-7), Ok(None), Ok(Some("é".into()))));
        assert_eq!((rows.next_row(), rows.field()), (Ok(true), Ok(Some(Bytes::new()))));
        assert_eq!(rows.next_row(), Ok(false));
    }

    #[test]
    fn arrays_of_texts_are_read_as_they_were_written() {
        let arrays = [vec![], vec!["a", "", "é\"\\"]];
        let mut rows = BinaryCopy::with_capacity(0);
        rows.row(3);
        arrays.iter().for_each(|array| rows.texts(array.iter().copied()));
        rows.null();
        let buffer = rows.finish();
        let mut rows = BinaryRows::new(buffer.into()).unwrap();
        assert_eq!(rows.next_row(), Ok(true));
        for array in arrays {
            assert_eq!(rows.texts().unwrap().unwrap(), array);
        }
        assert_eq!(rows.texts(), Ok(None));
    }

    #[test]
    fn a_truncated_buffer_is_an_error() {
        let mut rows = BinaryCopy::with_capacity(0);
        rows.row(1);
        rows.bytes(b"abc");
        let buffer = rows.finish();
        let end = buffer.len() - 4;
        let mut rows = BinaryRows::new(Bytes::from(buffer).slice(..end)).unwrap();
        assert_eq!(rows.next_row(), Ok(true));
        assert_eq!(rows.field(), Err(CopyFormatError));
        assert!(BinaryRows::new(Bytes::from_static(b"PGCOPY")).is_err());
    }
}

//! Batches as bytes of a file or a stream.

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Metadata, Schema};
use parquet::{
    arrow::ArrowWriter,
    basic::Compression,
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
};

use super::column::{OutColumn, fields};

/// The bytes of a row group in memory at which it is written. It is compressed by then.
pub const ROW_GROUP_BYTES: usize = 8 * 1024 * 1024;
/// The columns of all row groups of a file, together. What its end says of each is in memory until then.
pub const MAX_COLUMN_CHUNKS: usize = 65_536;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A file of Parquet, compressed with Snappy.
    Parquet,
    /// The stream of Arrow IPC, not compressed.
    ArrowStream,
}

/// Why rows are not encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Arrow refuses a batch.
    #[error("Arrow refuses a batch: {0}")]
    Arrow(ArrowError),
    /// Parquet refuses a batch.
    #[error("Parquet refuses a batch: {0}")]
    Parquet(ParquetError),
    /// There are too many rows for one file of Parquet.
    #[error(
        "the file of Parquet would have more than {MAX_COLUMN_CHUNKS} column chunks; read the table in parts, by a filter on its key, or \
         as a stream of Arrow"
    )]
    TooManyChunks,
}

impl From<ArrowError> for EncodeError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<ParquetError> for EncodeError {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

/// Encodes batches, one after the other. It holds one row group at most.
pub struct Encoder {
    columns: usize,
    writer: Writer,
}

enum Writer {
    Parquet(Box<ArrowWriter<Vec<u8>>>),
    Arrow(Box<StreamWriter<Vec<u8>>>),
}

impl Encoder {
    /// Begins a file of these columns. Readers find `metadata` by its keys.
    ///
    /// # Errors
    /// The library refuses the columns.
    pub fn new(format: Format, columns: &[OutColumn], metadata: &[(&str, String)]) -> Result<Self, EncodeError> {
        let pairs = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        // A file of Parquet has them twice: pyarrow looks in the schema of Arrow that is in it, and all others in the file's own metadata.
        let schema = Schema::new_with_metadata(fields(columns), pairs.clone().collect::<Metadata>());
        let writer = match format {
            Format::Parquet => {
                let pairs = pairs.map(|(key, value)| KeyValue::new(key, value)).collect();
                let properties = WriterProperties::builder()
                    .set_created_by(concat!("gnomon ", env!("CARGO_PKG_VERSION")).to_owned())
                    .set_compression(Compression::SNAPPY)
                    .set_key_value_metadata(Some(pairs))
                    // By these, readers pass over row groups. What would be said of each page stays in memory until the end of the file.
                    .set_statistics_enabled(EnabledStatistics::Chunk)
                    .set_offset_index_disabled(true)
                    // A row group ends by its bytes, see `write`.
                    .set_max_row_group_row_count(None)
                    .build();
                Writer::Parquet(Box::new(ArrowWriter::try_new(Vec::new(), schema.into(), Some(properties))?))
            }
            Format::ArrowStream => Writer::Arrow(Box::new(StreamWriter::try_new(Vec::new(), &schema)?)),
        };
        Ok(Self { columns: columns.len(), writer })
    }

    /// Encodes a batch, and returns the bytes that are ready, if there are any.
    ///
    /// # Errors
    /// The library refuses the batch, or the file has too many row groups.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, EncodeError> {
        match &mut self.writer {
            Writer::Parquet(writer) => {
                writer.write(batch)?;
                if writer.memory_size() < ROW_GROUP_BYTES {
                    return Ok(Vec::new());
                }
                // There is another one after these.
                if (writer.flushed_row_groups().len() + 2) * self.columns > MAX_COLUMN_CHUNKS {
                    return Err(EncodeError::TooManyChunks);
                }
                writer.flush()?;
                writer.sync().map_err(|error| ParquetError::External(error.into()))?;
                Ok(std::mem::take(writer.inner_mut()))
            }
            Writer::Arrow(writer) => {
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// Ends the file, and returns its last bytes. Without them it is not valid.
    ///
    /// # Errors
    /// The library fails.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        Ok(match self.writer {
            Writer::Parquet(writer) => writer.into_inner()?,
            Writer::Arrow(writer) => writer.into_inner()?,
        })
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("columns", &self.columns).finish_non_exhaustive()
    }
}

//! Rows as columns: Parquet, and the stream of Arrow IPC.
//!
//! Rows are gathered to batches, and batches are encoded, each of bounded bytes, so that a table of any size is written in bounded memory.

mod arrays;
mod batch;
mod column;
mod encode;

pub use self::{
    batch::{BATCH_BYTES, BatchBuilder},
    column::{CellType, OutColumn, fields},
    encode::{EncodeError, Encoder, Format, MAX_COLUMN_CHUNKS, ROW_GROUP_BYTES},
};

//! Files of columns, read by the libraries of Arrow and Parquet, and compared with what JSON answers.

use std::io::Cursor;

use arrow_array::{
    Array, RecordBatch,
    cast::AsArray as _,
    types::{
        Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
        TimestampMicrosecondType,
    },
};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;

use crate::read_model::columnar::Format;

/// A file as a reader has it.
pub(super) struct Contents {
    pub(super) batches: Vec<RecordBatch>,
    /// What the file says of itself, by its keys.
    pub(super) metadata: Vec<(String, String)>,
    /// The types of Gnomon that its columns name.
    pub(super) declared: Vec<String>,
}

/// Reads a whole file.
pub(super) fn contents(format: Format, file: Vec<u8>) -> Contents {
    let (batches, metadata, schema) = match format {
        Format::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
            let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap().iter();
            let pairs = pairs.map(|pair| (pair.key.clone(), pair.value.clone().unwrap()));
            let pairs: Vec<_> = pairs.filter(|(key, _)| key != "ARROW:schema").collect();
            let schema = reader.schema().clone();
            // pyarrow finds them there.
            assert_eq!(
                schema.metadata().get("gnomon.position"),
                pairs.iter().find(|(key, _)| key == "gnomon.position").map(|pair| &pair.1)
            );
            (reader.build().unwrap().collect::<Result<Vec<_>, _>>().unwrap(), pairs, schema)
        }
        Format::ArrowStream => {
            let reader = arrow_ipc::reader::StreamReader::try_new(Cursor::new(file), None).unwrap();
            let schema = reader.schema();
            let pairs = schema.metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            (reader.collect::<Result<Vec<_>, _>>().unwrap(), pairs, schema)
        }
    };
    let mut metadata = metadata;
    metadata.sort_unstable();
    let declared = schema.fields().iter().map(|field| field.metadata()["gnomon.type"].clone()).collect();
    Contents { batches, metadata, declared }
}

impl Contents {
    pub(super) fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Checks that the rows are those of an answer in JSON, in its order.
    pub(super) fn equal(&self, json: &str) {
        let rows: Vec<serde_json::Map<String, Json>> = serde_json::from_str(json).unwrap();
        assert_eq!(self.rows(), rows.len());
        let mut expected = rows.iter();
        for batch in &self.batches {
            for index in 0..batch.num_rows() {
                let row = expected.next().unwrap();
                assert_eq!(batch.num_columns(), row.len());
                for ((field, cells), declared) in
                    batch.schema().fields().iter().zip(batch.columns()).zip(&self.declared)
                {
                    let wanted = &row[field.name()];
                    assert!(
                        is(cells, index, declared, wanted),
                        "{}: {cells:?} at {index} is not {wanted}",
                        field.name()
                    );
                }
            }
        }
    }
}

/// Whether a cell is what JSON shows.
fn is(cells: &dyn Array, index: usize, declared: &str, json: &Json) -> bool {
    if cells.is_null(index) || json.is_null() && declared != "json" {
        return cells.is_null(index) && json.is_null();
    }
    let text = || json.as_str().unwrap();
    match cells.data_type() {
        DataType::Utf8 => {
            let cell = cells.as_string::<i32>().value(index);
            match declared {
                "decimal" | "json" => serde_json::from_str::<Json>(cell).unwrap() == *json,
                _ => cell == text(),
            }
        }
        DataType::Boolean => Some(cells.as_boolean().value(index)) == json.as_bool(),
        DataType::Int16 => Some(i64::from(cells.as_primitive::<Int16Type>().value(index))) == json.as_i64(),
        DataType::Int32 => Some(i64::from(cells.as_primitive::<Int32Type>().value(index))) == json.as_i64(),
        DataType::Int64 => Some(cells.as_primitive::<Int64Type>().value(index)) == json.as_i64(),
        DataType::Float32 => is_float(cells.as_primitive::<Float32Type>().value(index).to_string(), json),
        DataType::Float64 => is_float(cells.as_primitive::<Float64Type>().value(index).to_string(), json),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let cell = cells.as_primitive::<TimestampMicrosecondType>().value(index);
            match zone.as_deref() {
                Some("UTC") => cell == Instant::parse(text()).unwrap().0,
                Some(other) => panic!("the time zone {other}"),
                None => LocalTimestamp(cell).to_string() == text(),
            }
        }
        DataType::Date32 => Day(cells.as_primitive::<Date32Type>().value(index)).to_string() == text(),
        DataType::Time64(TimeUnit::Microsecond) => {
            TimeOfDay(cells.as_primitive::<Time64MicrosecondType>().value(index)).to_string() == text()
        }
        DataType::Binary => {
            let bytes = cells.as_binary::<i32>().value(index);
            bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")) == text()
        }
        DataType::List(_) => {
            let (elements, wanted) = (cells.as_list::<i32>().value(index), json.as_array().unwrap());
            let declared = declared.strip_suffix("[]").unwrap();
            elements.len() == wanted.len()
                && wanted.iter().enumerate().all(|(at, wanted)| is(&elements, at, declared, wanted))
        }
        other => panic!("a column of {other}"),
    }
}

/// Whether a float is the one that JSON has, of as many bits.
fn is_float(cell: String, json: &Json) -> bool {
    match json.as_str() {
        Some("Infinity") => cell == "inf",
        Some("-Infinity") => cell == "-inf",
        Some(other) => cell == other,
        None => cell.parse::<f64>().unwrap().to_bits() == json.to_string().parse::<f64>().unwrap().to_bits(),
    }
}

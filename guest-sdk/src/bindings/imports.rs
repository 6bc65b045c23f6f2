//! Calls the imports of a component.

use super::{
    convert::{cells, cells_of_all, values},
    generated::gnomon::module::{cursor, log as host_log, read_model},
};
use crate::{Failure, host::Host, log::Level, schema::Value};

/// The host of a projection.
pub(crate) struct Imports;

impl Host for Imports {
    fn turn_to(&mut self, position: u64) {
        turn_to(position);
    }

    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<Vec<Option<Vec<Value>>>, Failure> {
        let rows = read_model::get_many(table, &cells_of_all(keys));
        Ok(rows.into_iter().map(|row| row.map(values)).collect())
    }

    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) -> Result<(), Failure> {
        read_model::put_many(table, &cells_of_all(rows));
        Ok(())
    }

    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<(), Failure> {
        read_model::delete_many(table, &cells_of_all(keys));
        Ok(())
    }

    fn find(
        &mut self,
        table: &'static str,
        index: &'static str,
        wanted: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Failure> {
        let rows = read_model::find(table, index, &cells(wanted));
        Ok(rows.into_iter().map(values).collect())
    }
}

/// Tells the host which event is the current one.
pub(crate) fn turn_to(position: u64) {
    cursor::at(position);
}

/// Writes a line to the host's log.
pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => host_log::Level::Trace,
        Level::Debug => host_log::Level::Debug,
        Level::Info => host_log::Level::Info,
        Level::Warn => host_log::Level::Warn,
        Level::Error => host_log::Level::Error,
    };
    host_log::write(level, message);
}

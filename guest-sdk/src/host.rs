//! What a projection asks of its host.

use crate::schema::Value;

/// The host's side of the contract: the imports of the component, or a memory in tests.
pub(crate) trait Host {
    /// The event in hand, from here on.
    fn turn_to(&mut self, position: u64);

    /// The rows that have these keys, in the order of the keys.
    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Vec<Option<Vec<Value>>>;

    /// Writes rows.
    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>);

    /// Deletes rows.
    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>);

    /// The rows that have these values in the first columns of the index.
    fn find(&mut self, table: &'static str, index: &'static str, values: Vec<Value>) -> Vec<Vec<Value>>;
}

//! The shape of the result, and what stands between its rows.

/// The shape of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A JSON array of rows.
    #[default]
    List,
    /// The one row, as a JSON object.
    Object,
}

impl Shape {
    /// What stands before a row of the page, whose number counts from 0.
    #[must_use]
    pub fn before(self, row: u64) -> &'static str {
        match (self, row) {
            (Self::List, 0) => "[",
            // As PostgREST writes it, that is, `json_agg`.
            (Self::List, _) => ", \n ",
            (Self::Object, _) => "",
        }
    }

    /// What stands after the last one of so many rows.
    #[must_use]
    pub fn after(self, rows: u64) -> &'static str {
        match (self, rows) {
            (Self::List, 0) => "[]",
            (Self::List, _) => "]",
            (Self::Object, 0) => "null",
            (Self::Object, _) => "",
        }
    }
}

//! The shape of the result, and what stands between its rows.

/// The shape of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A JSON array of rows.
    #[default]
    List,
    /// The one row, as a JSON object.
    Object,
    /// A JSON array of rows, without the members that are null.
    StrippedList,
    /// The one row, as a JSON object without the members that are null.
    StrippedObject,
    /// Lines of values with commas between, after one with the [names of the columns](super::csv_header).
    Csv,
}

impl Shape {
    /// Whether it is of one row.
    #[must_use]
    pub fn is_object(self) -> bool {
        matches!(self, Self::Object | Self::StrippedObject)
    }

    /// What stands before a row of the page, whose number counts from 0.
    #[must_use]
    pub fn before(self, row: u64) -> &'static str {
        match (self, row) {
            (Self::List | Self::StrippedList, 0) => "[",
            // As PostgREST writes it, that is, `json_agg` …
            (Self::List, _) => ", \n ",
            // … and `json_strip_nulls`.
            (Self::StrippedList, _) => ",",
            (Self::Object | Self::StrippedObject, _) => "",
            (Self::Csv, _) => "\n",
        }
    }

    /// What stands after the last one of so many rows.
    #[must_use]
    pub fn after(self, rows: u64) -> &'static str {
        match (self, rows) {
            (Self::List | Self::StrippedList, 0) => "[]",
            (Self::List | Self::StrippedList, _) => "]",
            (Self::Object | Self::StrippedObject, 0) => "null",
            // As PostgREST: the line break is before a row, even if there is none.
            (Self::Csv, 0) => "\n",
            (Self::Object | Self::StrippedObject | Self::Csv, _) => "",
        }
    }
}

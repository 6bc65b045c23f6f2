//! The page of an answer: its status and its `Content-Range`.

use axum::http::StatusCode;

use super::error::PostgrestError;

/// The rows of a page among all rows that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The rows before it.
    pub(super) offset: u64,
    /// The rows in it.
    pub(super) rows: u64,
    /// All rows, if they were counted.
    pub(super) total: Option<u64>,
}

impl Page {
    /// The HTTP status: 206 if the rows were counted and the page has not all of them, else 200.
    ///
    /// # Errors
    /// The rows were counted, and the page begins after the last one. The answer has a [`content_range`](Self::content_range) all
    /// the same.
    pub(super) fn status(&self) -> Result<StatusCode, PostgrestError> {
        match self.total {
            Some(total) if self.offset > total => Err(PostgrestError::out_of_bounds(self.offset, total)),
            Some(total) if self.rows < total => Ok(StatusCode::PARTIAL_CONTENT),
            _ => Ok(StatusCode::OK),
        }
    }

    /// The value of the header `Content-Range`: the offsets of the first and last row, from 0, and the total.
    pub(super) fn content_range(&self) -> String {
        let total = self.total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        match self.rows.checked_sub(1) {
            Some(further) if self.total != Some(0) => {
                format!("{}-{}/{total}", self.offset, self.offset.saturating_add(further))
            }
            _ => format!("*/{total}"),
        }
    }

    /// Checks that the page can be answered as one object.
    ///
    /// # Errors
    /// There is not exactly one row.
    pub(super) fn single(&self) -> Result<(), PostgrestError> {
        if self.rows == 1 { Ok(()) } else { Err(PostgrestError::not_single(self.rows)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(offset: u64, rows: u64, total: Option<u64>) -> Page {
        Page { offset, rows, total }
    }

    #[test]
    fn ranges_and_statuses_are_those_of_postgrest() {
        for (page, range, status) in [
            (page(0, 15, None), "0-14/*", 200),
            (page(2, 3, None), "2-4/*", 200),
            (page(0, 0, None), "*/*", 200),
            (page(100, 0, None), "*/*", 200),
            (page(0, 0, Some(0)), "*/0", 200),
            (page(0, 15, Some(15)), "0-14/15", 200),
            (page(0, 2, Some(15)), "0-1/15", 206),
            (page(10, 5, Some(15)), "10-14/15", 206),
            (page(15, 0, Some(15)), "*/15", 206),
        ] {
            assert_eq!(
                (page.content_range().as_str(), page.status().map(|status| status.as_u16())),
                (range, Ok(status)),
                "{page:?}"
            );
        }
    }

    #[test]
    fn a_page_after_the_end_is_refused() {
        for (offset, total) in [(1, 0), (100, 15)] {
            let page = page(offset, 0, Some(total));
            assert_eq!(page.content_range(), format!("*/{total}"));
            assert_eq!(
                page.status(),
                Err(PostgrestError {
                    code: "PGRST103".into(),
                    message: "Requested range not satisfiable".into(),
                    details: Some(format!("An offset of {offset} was requested, but there are only {total} rows.")),
                    hint: None,
                    status: StatusCode::RANGE_NOT_SATISFIABLE,
                })
            );
        }
    }

    #[test]
    fn one_object_is_one_row() {
        assert_eq!(page(3, 1, None).single(), Ok(()));
        for rows in [0, 4] {
            assert_eq!(
                page(0, rows, None).single(),
                Err(PostgrestError {
                    code: "PGRST116".into(),
                    message: "Cannot coerce the result to a single JSON object".into(),
                    details: Some(format!("The result contains {rows} rows")),
                    hint: None,
                    status: StatusCode::NOT_ACCEPTABLE,
                })
            );
        }
    }
}

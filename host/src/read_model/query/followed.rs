//! How the answer to a query is kept up to date while rows change.

use super::{Query, error::QueryError, resource::Resource};

/// How the answer to a query is kept up to date while rows change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// By the rows that changed: whether each of them matches depends on nothing but itself.
    ByChangedRows,
    /// By reading all of its rows again, and finding by their keys which of them differ: it embeds other rows, or has a limit or an offset.
    ByAllRows,
    /// By reading the answer again: it is of groups, which have no keys.
    ByAnswer,
}

impl Query<'_> {
    /// How it is followed.
    ///
    /// # Errors
    /// It is a page by a cursor, which ends before a row and not before a change.
    pub fn followed(&self) -> Result<Followed, QueryError> {
        self.paging.refuse("Live queries have no pages. Leave the parameter out.")?;
        Ok(match &self.root {
            root if root.is_grouped() => Followed::ByAnswer,
            root if is_of_single_rows(root) => Followed::ByChangedRows,
            _ => Followed::ByAllRows,
        })
    }
}

fn is_of_single_rows(resource: &Resource<'_>) -> bool {
    resource.embeddings.is_empty() && resource.window.limit.is_none() && resource.window.offset == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::{ColumnType, Table, samples};

    fn table() -> Table {
        let columns = [samples::column("id", ColumnType::Text), samples::column("n", ColumnType::I64)];
        Table::check(&samples::declaration("t", columns, &["id"])).unwrap()
    }

    #[test]
    fn how_a_query_is_followed_depends_on_what_a_row_depends_on() {
        let table = table();
        for (query, expected) in [
            ("", Followed::ByChangedRows),
            ("select=n,id&n=gt.5&or=(id.eq.a,n.is.null)&order=n.desc", Followed::ByChangedRows),
            ("order=n&limit=10", Followed::ByAllRows),
            ("offset=1", Followed::ByAllRows),
            ("select=count()", Followed::ByAnswer),
            ("select=id,n.sum()&limit=3", Followed::ByAnswer),
        ] {
            assert_eq!(Query::parse(query, &table).unwrap().followed(), Ok(expected), "{query}");
        }
        let error = Query::parse("cursor=", &table).unwrap().followed().unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100", "{error:?}");
    }
}

//! Rows of Postgres as structs.

/// Lets `sqlx::query_as` make a struct of a row, whose columns have the names of its fields:
/// `sql_row!(BuildRow { number, checkpoint, ..state })`. A field after two dots is a struct that has columns of the same row.
///
/// Not `derive(sqlx::FromRow)`: sqlx's macros need all of sqlx at compile time, which is compiled a second time for that.
macro_rules! sql_row {
    ($row:ident { $($column:ident),+ $(, ..$part:ident)? $(,)? }) => {
        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $row {
            fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($column: sqlx::Row::try_get(row, stringify!($column))?,)+
                    $($part: sqlx::FromRow::from_row(row)?,)?
                })
            }
        }
    };
}

pub(crate) use sql_row;

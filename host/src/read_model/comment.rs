//! Descriptions of tables and columns as comments in Postgres.

use sqlx::{Executor, PgConnection};

use super::table::Table;

/// Sets the comments of a relation that shows a table, and of its columns. `kind` is `TABLE` or `VIEW`, `relation` the quoted name with
/// its schema, and `description` what is said of the relation. What has no description has no comment afterwards.
///
/// # Errors
/// Postgres fails.
pub async fn comment(
    connection: &mut PgConnection,
    kind: &str,
    relation: &str,
    description: Option<&str>,
    table: &Table,
) -> Result<(), sqlx::Error> {
    let mut statements = format!("COMMENT ON {kind} {relation} IS {};", literal(description));
    for column in table.columns() {
        let text = literal(column.description.as_deref());
        statements.push_str(&format!("COMMENT ON COLUMN {relation}.{} IS {text};", column.name.quoted()));
    }
    // Safe: made of checked identifiers and quoted literals.
    connection.execute(sqlx::raw_sql(&statements)).await?;
    Ok(())
}

/// A text as a literal of SQL.
fn literal(text: Option<&str>) -> String {
    // `E` makes the literal the same whatever `standard_conforming_strings` is.
    match text {
        None => "NULL".to_owned(),
        Some(text) => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_ends_where_the_text_ends() {
        assert_eq!(literal(None), "NULL");
        assert_eq!(literal(Some(r"it's \' it")), r"E'it''s \\'' it'");
    }
}

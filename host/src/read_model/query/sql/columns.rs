//! Renders a query whose rows are columns of values, each of a type of its own, for formats that have such.

use super::{
    output::Output,
    writer::{Writer, quoted},
};
use crate::read_model::{
    columnar::{CellType, OutColumn},
    query::{
        Query,
        cast::SqlType,
        error::QueryError,
        param::Param,
        rendering::{Rendering, Total},
        resource::{Embedding, Resource},
        shape::Shape,
    },
};

/// A statement that returns the rows of a query, each value in a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnsSql {
    /// The statement.
    pub text: String,
    /// The values of its placeholders, in order.
    pub params: Vec<Param>,
    /// What its columns are.
    pub columns: Vec<OutColumn>,
}

impl Query<'_> {
    /// Renders the query in a schema, with as many rows as it asks for. Only what is cut by a limit, an offset or a range, or has an order, is
    /// ordered: else the rows come as Postgres reads them, which costs nothing.
    ///
    /// # Errors
    /// It asks for something that is not a column of values, for a cursor, or for two columns of one name.
    pub fn to_columns_sql(&self, schema: &str) -> Result<ColumnsSql, QueryError> {
        self.paging.refuse(
            "Only answers in JSON and CSV are read by pages; read all rows at once, or use limit and offset.",
        )?;
        check(&self.root)?;
        let rendering = Rendering {
            schema,
            rows: None,
            shape: Shape::List,
            total: Total::Uncounted,
            max_rows: None,
            max_row_bytes: None,
            next_values: false,
            first_placeholder: 1,
        };
        let mut sql = Writer::new(&self.root, &rendering);
        let body = sql.body(None);
        let columns: Vec<_> = body.outputs.iter().map(column).collect();
        check_names(&columns)?;
        let items = body.outputs.iter().map(|output| format!("{} AS {}", sent(output), quoted(&output.name)));
        let text = body.select_items(items.collect());
        Ok(ColumnsSql { text, params: sql.params, columns })
    }
}

/// Refuses what is not a column of values. What only filters, or is spread and of one row, is none or is some of the columns.
fn check(resource: &Resource<'_>) -> Result<(), QueryError> {
    for selected in &resource.select {
        let casts = [selected.cast, selected.aggregate.and_then(|aggregate| aggregate.cast)];
        if casts.into_iter().flatten().any(|to| to.array) {
            return Err(QueryError::not_columns(
                format!("\"{}\" is cast to an array, which may have several dimensions.", selected.name()),
                "Select it without the cast, or cast it to text.",
            ));
        }
    }
    resource.embeddings.iter().filter(|embedding| !embedding.is_empty()).try_for_each(|embedding: &Embedding<'_>| {
        if !embedding.is_hoisted() {
            return Err(QueryError::not_columns(
                format!("\"{}\" is embedded as JSON.", embedding.shown_name()),
                "Spread an embedding of one row into columns, as in select=...name(column), leave it empty so that it only filters, or \
                 read the other table as well and join the two.",
            ));
        }
        check(&embedding.resource)
    })
}

/// Programs find columns by their names.
fn check_names(columns: &[OutColumn]) -> Result<(), QueryError> {
    if columns.is_empty() {
        return Err(QueryError::not_columns(
            "The query selects no columns.".to_owned(),
            "Name some of them in select.",
        ));
    }
    let mut names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(QueryError::not_columns(
            format!("Two columns are named \"{}\".", pair[0]),
            "Give one of them another name, as in select=name:column.",
        )),
        None => Ok(()),
    }
}

/// What a value is, and by which name of Gnomon, or else of Postgres.
fn cell(SqlType { element, array }: SqlType) -> (CellType, &'static str) {
    match (element, array) {
        ("boolean", false) => (CellType::Bool, "bool"),
        ("smallint", false) => (CellType::I16, "smallint"),
        ("integer", false) => (CellType::I32, "integer"),
        ("bigint", false) => (CellType::I64, "i64"),
        ("real", false) => (CellType::F32, "real"),
        ("double precision", false) => (CellType::F64, "f64"),
        ("numeric", false) => (CellType::Text, "decimal"),
        ("timestamp with time zone", false) => (CellType::Timestamp, "timestamp"),
        ("timestamp without time zone", false) => (CellType::LocalTimestamp, "local_timestamp"),
        ("date", false) => (CellType::Date, "date"),
        ("time without time zone", false) => (CellType::Time, "time"),
        ("uuid", false) => (CellType::Text, "uuid"),
        ("json" | "jsonb", false) => (CellType::Text, "json"),
        ("bytea", false) => (CellType::Bytes, "bytes"),
        ("bigint", true) => (CellType::I64s, "i64[]"),
        ("double precision", true) => (CellType::F64s, "f64[]"),
        ("uuid", true) => (CellType::Texts, "uuid[]"),
        // No column is an array of anything else.
        (_, true) => (CellType::Texts, "text[]"),
        (_, false) => (CellType::Text, "text"),
    }
}

fn column(output: &Output) -> OutColumn {
    let (cell_type, declared) = cell(output.sql_type);
    OutColumn { name: output.name.clone(), cell_type, declared }
}

/// The expression as it is sent. Some types are sent as the texts that JSON has.
fn sent(output: &Output) -> String {
    let SqlType { element, array } = output.sql_type;
    match (cell(output.sql_type).0, element) {
        (CellType::Text, "text") | (CellType::Texts, "text") => output.expression.clone(),
        (CellType::Text | CellType::Texts, _) => {
            format!("({})::text{}", output.expression, if array { "[]" } else { "" })
        }
        _ => output.expression.clone(),
    }
}

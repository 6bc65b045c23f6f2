//! Embeddings: the rows that belong to a row, joined to it, or asked for.

use super::{
    output::{Origin, Output},
    writer::{Writer, numbered, quoted},
};
use crate::read_model::query::{
    field::Field, order::OrderBy, reference_link::Link, relationship::Way, resource::Embedding,
};

impl<'q> Writer<'q> {
    /// The table of an embedding, and the conditions by which its rows belong to a row of another. This writer is within it.
    pub(super) fn source(&self, embedding: &Embedding<'_>, other: &str) -> (String, Vec<String>) {
        let own = &self.table;
        let table = format!("{} AS {own}", self.qualified(self.resource.table));
        let equal = |link: &Link<'_>, from: &str, to: &str| {
            let pairs = link.columns.iter();
            let equal =
                pairs.map(|(column, key)| format!("{from}.{} = {to}.{}", column.name.quoted(), key.name.quoted()));
            equal.collect::<Vec<_>>()
        };
        match &embedding.relationship.way {
            Way::Forward(link) => (table, equal(link, other, own)),
            Way::Backward(link) => (table, equal(link, own, other)),
            Way::Through { junction, to_origin, to_target } => {
                let between = numbered("junction", self.resource.number);
                let mut conditions = equal(to_origin, &between, other);
                conditions.extend(equal(to_target, &between, own));
                (format!("{table}, {} AS {between}", self.qualified(junction)), conditions)
            }
        }
    }

    /// Whether an embedding has a row.
    pub(super) fn exists(&mut self, embedding: &'q Embedding<'q>) -> String {
        let other = self.table.clone();
        self.within(&embedding.resource, |sql| {
            // There is always a group if there is nothing to group by.
            if !embedding.is_hoisted() && embedding.resource.is_grouped() {
                return format!("EXISTS ({})", sql.body(Some((embedding, &other))).select());
            }
            let (source, joined) = sql.source(embedding, &other);
            let conditions = sql.conditions(joined);
            let window = embedding.resource.window;
            let none = if window.limit == Some(0) { " LIMIT 0" } else { "" };
            let offset = match window.offset {
                0 => String::new(),
                offset => format!(" OFFSET {}", sql.bind(offset.to_string(), "bigint")),
            };
            format!("EXISTS (SELECT 1 FROM {source}{conditions}{none}{offset})")
        })
    }

    /// The join of an embedding of the resource, by its index, and the values that it has then. `None` if nothing of it is shown.
    pub(super) fn join(&mut self, index: usize) -> Option<(String, Vec<Output>)> {
        let embedding = &self.resource.embeddings[index];
        let order = self.resource.order.iter().enumerate();
        let by: Vec<_> = order
            .filter_map(|(position, term)| match &term.by {
                OrderBy::Embedded(embedded, field) if *embedded == index => Some((position, field)),
                OrderBy::Embedded(..) | OrderBy::Field(_) | OrderBy::Rank(_) => None,
            })
            .collect();
        if embedding.is_empty() && by.is_empty() {
            return None;
        }
        let (other, joined) = (self.table.clone(), numbered("joined", embedding.resource.number));
        let (lateral, outputs) =
            self.within(&embedding.resource, |sql| match (embedding.is_to_one(), embedding.spread) {
                (true, true) => sql.spread_row(embedding, index, &other, &joined, &by),
                (true, false) => sql.row(embedding, &other, &joined, &by),
                (false, true) => sql.spread_rows(embedding, &other, &joined),
                (false, false) => sql.rows(embedding, &other, &joined),
            });
        Some((format!(" LEFT JOIN LATERAL ({lateral}) AS {joined} ON true"), outputs))
    }

    /// One row, whose values become values of the other.
    fn spread_row(
        &mut self,
        embedding: &'q Embedding<'q>,
        index: usize,
        other: &str,
        joined: &str,
        by: &[(usize, &Field<'_>)],
    ) -> (String, Vec<Output>) {
        let body = self.body(Some((embedding, other)));
        let mut items: Vec<_> = body
            .outputs
            .iter()
            .enumerate()
            .map(|(position, its)| format!("{} AS {}", its.expression, value(position)))
            .collect();
        items.extend(by.iter().map(|(position, field)| format!("{} AS {}", self.field(field), order_value(*position))));
        let select = body.select_items(items);
        let outputs = body.outputs.into_iter().enumerate().map(|(position, output)| Output {
            expression: format!("{joined}.{}", value(position)),
            is_column: false,
            origin: match output.origin {
                Origin::Selected(selected) => Origin::Spread(index, selected),
                Origin::Spread(..) | Origin::Other => Origin::Other,
            },
            ..output
        });
        (select, outputs.collect())
    }

    /// One row as an object.
    fn row(
        &mut self,
        embedding: &'q Embedding<'q>,
        other: &str,
        joined: &str,
        by: &[(usize, &Field<'_>)],
    ) -> (String, Vec<Output>) {
        let body = self.body(Some((embedding, other)));
        let name = embedding.shown_name();
        if by.is_empty() {
            return (body.select(), vec![Output::json(name, format!("row_to_json({joined}.*)"))]);
        }
        let of_order = |field: &Field<'_>| {
            let grouped = embedding.resource.is_grouped().then(|| embedding.resource.shown_field(field)).flatten();
            let output = grouped.and_then(|index| body.outputs.get(index));
            output.map_or_else(|| self.field(field), |output| output.expression.clone())
        };
        let mut items: Vec<_> =
            body.outputs.iter().enumerate().map(|(position, its)| its.shown_as(&value(position))).collect();
        items.extend(by.iter().map(|(position, field)| format!("{} AS {}", of_order(field), order_value(*position))));
        let rows = numbered("rows", embedding.resource.number);
        let mut shown: Vec<_> = by.iter().map(|(position, _)| format!("{rows}.{}", order_value(*position))).collect();
        let mut outputs = Vec::new();
        if !embedding.is_empty() {
            let named = body.outputs.iter().enumerate();
            let named = named.map(|(position, its)| format!("{rows}.{} AS {}", value(position), quoted(&its.name)));
            let named = named.collect::<Vec<_>>().join(", ");
            let object = numbered("object", embedding.resource.number);
            shown.push(format!("(SELECT row_to_json({object}.*) FROM (SELECT {named}) AS {object}) AS \"object\""));
            outputs.push(Output::json(name, format!("{joined}.\"object\"")));
        }
        (format!("SELECT {} FROM ({}) AS {rows}", shown.join(", "), body.select_items(items)), outputs)
    }

    /// Rows as an array of objects.
    fn rows(&mut self, embedding: &'q Embedding<'q>, other: &str, joined: &str) -> (String, Vec<Output>) {
        let select = self.body(Some((embedding, other))).select();
        let rows = numbered("rows", embedding.resource.number);
        let lateral = match self.max_row_bytes {
            None => format!("SELECT json_agg(row_to_json({rows}.*)) AS \"array\" FROM ({select}) AS {rows}"),
            Some(max) => {
                let objects = format!("SELECT row_to_json({rows}.*) AS \"object\" FROM ({select}) AS {rows}");
                let bytes = format!("octet_length({rows}.\"object\"::text)");
                let objects = with_bytes_before(&objects, &rows, &bytes);
                format!("SELECT {} FROM ({objects}) AS {rows}", array_of(&rows, "\"object\"", "\"array\"", max))
            }
        };
        let array = format!("COALESCE({joined}.\"array\", '[]')");
        (lateral, vec![Output::json(embedding.shown_name(), array)])
    }

    /// Rows, of which each value becomes an array.
    fn spread_rows(&mut self, embedding: &'q Embedding<'q>, other: &str, joined: &str) -> (String, Vec<Output>) {
        let body = self.body(Some((embedding, other)));
        let rows = numbered("rows", embedding.resource.number);
        let values: Vec<_> = (0..body.outputs.len()).map(value).collect();
        let items = body.outputs.iter().zip(&values).map(|(output, name)| output.shown_as(name)).collect();
        let select = body.select_items(items);
        let lateral = match self.max_row_bytes {
            None => {
                let arrays = values.iter().map(|name| format!("json_agg({rows}.{name}) AS {name}"));
                format!("SELECT {} FROM ({select}) AS {rows}", arrays.collect::<Vec<_>>().join(", "))
            }
            Some(max) => {
                let as_json = values.iter().map(|name| format!("to_json({rows}.{name}) AS {name}"));
                let as_json = as_json.collect::<Vec<_>>().join(", ");
                let as_json = format!("SELECT {as_json} FROM ({select}) AS {rows}");
                let bytes = values.iter().map(|name| format!("COALESCE(octet_length({rows}.{name}::text), 4)"));
                let as_json = with_bytes_before(&as_json, &rows, &bytes.collect::<Vec<_>>().join(" + "));
                let arrays = values.iter().map(|name| array_of(&rows, name, name, max));
                format!("SELECT {} FROM ({as_json}) AS {rows}", arrays.collect::<Vec<_>>().join(", "))
            }
        };
        let outputs = body.outputs.iter().zip(&values);
        let outputs =
            outputs.map(|(output, name)| Output::json(&output.name, format!("COALESCE({joined}.{name}, '[]')")));
        (lateral, outputs.collect())
    }
}

/// Adds to each row the bytes of those before it. `OFFSET 0` keeps Postgres from making the JSON of a row once more for its size.
fn with_bytes_before(select: &str, rows: &str, bytes: &str) -> String {
    format!(
        "SELECT {rows}.*, COALESCE(sum({bytes}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS \"before\" \
         FROM ({select} OFFSET 0) AS {rows}"
    )
}

/// An array of the values of rows. One that is larger than a row may be becomes a text that is, so that the row is refused, and Postgres
/// never holds more than it needs to know that.
fn array_of(rows: &str, value: &str, name: &str, max: u64) -> String {
    format!(
        "CASE WHEN max({rows}.\"before\") > {max} THEN to_json(repeat(' ', {})) \
         ELSE json_agg({rows}.{value}) FILTER (WHERE {rows}.\"before\" <= {max}) END AS {name}",
        max.saturating_add(1)
    )
}

/// The name of a value that an embedding passes on, by its index.
fn value(index: usize) -> String {
    numbered("value", index)
}

/// The name of what an embedding is ordered by, by the position in the order.
pub(super) fn order_value(position: usize) -> String {
    numbered("order", position)
}

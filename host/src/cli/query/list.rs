//! What there is to query.

use comfy_table::Table;

use crate::{
    api::{ColumnDescriptor, IndexDescriptor, IndexKind, ReadModel, ReadModels, ReferenceDescriptor, TableDescriptor},
    cli::{client::Client, output},
};

/// Prints the tables of all read models, or of one.
pub(super) async fn list(client: &Client, projection: Option<&str>, json: bool) -> anyhow::Result<()> {
    let mut path = vec!["v1", "read-models"];
    path.extend(projection);
    let body = client.text(client.get(&path)).await?;
    if json {
        output::data(body)?;
        return Ok(());
    }
    let read_models = match projection {
        Some(_) => vec![client.parse::<ReadModel>(&body)?],
        None => client.parse::<ReadModels>(&body)?.read_models,
    };
    if read_models.is_empty() {
        output::say("no read models; `gnomon deploy` uploads a projection");
        return Ok(());
    }
    match (projection, read_models.as_slice()) {
        (Some(_), [read_model]) => output::data(described(read_model))?,
        _ => output::print_table(&table(&read_models))?,
    }
    for read_model in read_models.iter().filter(|read_model| read_model.active_build.is_none()) {
        let name = &read_model.projection;
        output::say(format_args!(
            "no build of `{name}` has caught up yet, so it cannot be read; `gnomon projections {name}` shows its builds"
        ));
    }
    output::say("`gnomon query PROJECTION TABLE` reads a table, and `gnomon psql` its view with SQL; * marks the key");
    Ok(())
}

fn table(read_models: &[ReadModel]) -> Table {
    let mut table = output::table(&["PROJECTION", "TABLE", "COLUMNS", "VIEW"]);
    for read_model in read_models {
        for read_table in &read_model.tables {
            let key = &read_table.table.key;
            let columns: Vec<String> =
                read_table.table.columns.iter().map(|column| shown(column, key.contains(&column.name))).collect();
            table.add_row([
                read_model.projection.clone(),
                read_table.table.name.clone(),
                columns.join(", "),
                read_table.view.clone(),
            ]);
        }
    }
    table
}

/// A read model with all that its author says of it.
fn described(read_model: &ReadModel) -> String {
    let mut parts: Vec<String> = read_model.description.clone().into_iter().collect();
    for read_table in &read_model.tables {
        let TableDescriptor { name, description, columns, key, indexes, references } = &read_table.table;
        let mut lines = vec![match description {
            Some(description) => format!("{name} ({}): {description}", read_table.view),
            None => format!("{name} ({})", read_table.view),
        }];
        let mut table = output::table(&["COLUMN", "TYPE", "DESCRIPTION"]);
        for column in columns {
            let is_key = key.contains(&column.name);
            let nullable = if column.nullable { "?" } else { "" };
            table.add_row([
                format!("{}{}", column.name, if is_key { "*" } else { "" }),
                format!("{}{nullable}", column.column_type),
                column.description.clone().unwrap_or_default(),
            ]);
        }
        lines.push(table.trim_fmt());
        lines.extend(indexes.iter().map(index));
        let reference = |ReferenceDescriptor { columns, table }: &ReferenceDescriptor| {
            format!("{} references {table}", columns.join(", "))
        };
        lines.extend(references.iter().map(reference));
        parts.push(lines.join("\n"));
    }
    parts.join("\n\n")
}

/// An index, and a filter that uses it where that is not obvious.
fn index(IndexDescriptor { name, kind, columns, language, .. }: &IndexDescriptor) -> String {
    let listed = columns.join(", ");
    match kind {
        IndexKind::Gin => {
            format!("index {name} on what is in {listed}, as in '{}=cs.{{…}}'", columns.join("=cs.{…}' or '"))
        }
        IndexKind::FullText => {
            format!(
                "index {name} on the {} words of {listed}, as in '{name}=wfts.…'",
                language.as_deref().unwrap_or_default()
            )
        }
        _ => format!("index {name} on {listed}"),
    }
}

/// A column with its type: `customer* text`, `amount decimal?`.
fn shown(column: &ColumnDescriptor, is_key: bool) -> String {
    let (key, nullable) = (if is_key { "*" } else { "" }, if column.nullable { "?" } else { "" });
    format!("{}{key} {}{nullable}", column.name, column.column_type)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_table_has_a_line_with_its_columns_and_its_view() {
        let read_models: ReadModels = serde_json::from_value(json!({"read_models": [{
            "projection": "orders", "active_build": 4, "active_version": 1, "state": "active", "position": 7,
            "links": {"self": "/v1/read-models/orders", "projection": "/v1/projections/orders"},
            "tables": [{
                "name": "customers", "key": ["customer"], "view": "read_models.orders_customers",
                "links": {"rows": "/v1/read-models/orders/customers"},
                "columns": [{"name": "customer", "type": "text"}, {"name": "seen", "type": "timestamp", "nullable": true}],
            }],
        }]}))
        .unwrap();
        insta::assert_snapshot!(table(&read_models.read_models).trim_fmt(), @r"
        PROJECTION  TABLE      COLUMNS                          VIEW
        orders      customers  customer* text, seen timestamp?  read_models.orders_customers
        ");
    }

    #[test]
    fn a_read_model_is_shown_with_what_its_author_says() {
        let read_model: ReadModel = serde_json::from_value(json!({
            "projection": "shop", "description": "What the shop sells.",
            "active_build": 4, "active_version": 1, "state": "active", "position": 7,
            "links": {"self": "/v1/read-models/shop", "projection": "/v1/projections/shop"},
            "tables": [{
                "name": "articles", "description": "An article.", "key": ["article"], "view": "read_models.shop_articles",
                "links": {"rows": "/v1/read-models/shop/articles"},
                "columns": [
                    {"name": "article", "type": "text"},
                    {"name": "title", "type": "citext", "description": "What stands on the shelf."},
                    {"name": "labels", "type": "text[]"},
                    {"name": "successor", "type": "text", "nullable": true, "description": "What takes its place."},
                ],
                "indexes": [
                    {"name": "by_title", "kind": "btree", "columns": ["title"]},
                    {"name": "by_labels", "kind": "gin", "columns": ["labels"]},
                    {"name": "words", "kind": "full_text", "columns": ["title"], "language": "english", "weights": ["A"]},
                ],
                "references": [{"columns": ["successor"], "table": "articles"}],
            }],
        }))
        .unwrap();
        insta::assert_snapshot!(described(&read_model), @r"
        What the shop sells.

        articles (read_models.shop_articles): An article.
        COLUMN     TYPE    DESCRIPTION
        article*   text
        title      citext  What stands on the shelf.
        labels     text[]
        successor  text?   What takes its place.
        index by_title on title
        index by_labels on what is in labels, as in 'labels=cs.{…}'
        index words on the english words of title, as in 'words=wfts.…'
        successor references articles
        ");
    }
}

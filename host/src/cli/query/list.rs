//! What there is to query.

use comfy_table::Table;

use crate::{
    api::{ColumnDescriptor, ReadModel, ReadModels},
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
    output::print_table(&table(&read_models))?;
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
}

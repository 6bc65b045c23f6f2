//! What a transaction needs that reads whole tables.

use sqlx::{Executor, PgConnection};

/// What a sort or a hash may take before Postgres keeps it on disk.
const WORK_MEM: &str = "64MB";

/// Makes the connection's transaction fit to read whole tables; the settings end with it.
///
/// Connections of ours may be bound to plans by index, and users' servers may write floats, times and bytes in other ways than
/// we do.
pub(in crate::read_model) async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let methods = ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort", "hashagg", "material"];
    let planner = methods.map(|method| format!("SET LOCAL enable_{method} = on;"));
    let statement = format!(
        "{} SET LOCAL work_mem = '{WORK_MEM}'; SET LOCAL jit = off;
         SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'",
        planner.concat()
    );
    // Safe: our own words.
    connection.execute(statement.as_str()).await?;
    Ok(())
}

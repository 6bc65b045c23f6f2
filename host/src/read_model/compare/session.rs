//! Settings for a transaction that reads whole tables.

use sqlx::{Executor, PgConnection};

/// Memory of a sort or a hash before Postgres continues on disk.
const WORK_MEM: &str = "64MB";

/// Sets what the connection's transaction needs to read whole tables; the settings end with the transaction.
///
/// The host's connections may allow only plans that use an index, and the server's settings may format floats, times and bytes
/// differently.
pub(in crate::read_model) async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let methods = ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort", "hashagg", "material"];
    let planner = methods.map(|method| format!("SET LOCAL enable_{method} = on;"));
    let statement = format!(
        "{} SET LOCAL work_mem = '{WORK_MEM}'; SET LOCAL jit = off;
         SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'",
        planner.concat()
    );
    // Safe: constant text.
    connection.execute(statement.as_str()).await?;
    Ok(())
}

//! message-db, if it is installed on the server that is measured: <https://github.com/message-db/message-db>.

use sqlx::{ConnectOptions, Executor, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::cli::bench::all::{bank::Bank, closed_loop::Asks};

/// The database in which it is looked for. Not the one that its installation makes unless it is told otherwise, which may be in use: what
/// is written stays.
pub(in crate::cli::bench::all) const DATABASE: &str = "message_store_bench";

const WRITE: &str = "SELECT message_store.write_message($1, $2, $3, $4::text::jsonb)";
const CAN_WRITE: &str = "
    SELECT EXISTS (SELECT FROM pg_proc AS function JOIN pg_namespace AS schema ON schema.oid = function.pronamespace
        WHERE schema.nspname = 'message_store' AND function.proname = 'write_message'
            AND has_schema_privilege(schema.oid, 'USAGE') AND has_function_privilege(function.oid, 'EXECUTE'))";

/// A database with message-db.
pub(in crate::cli::bench::all) struct MessageDb(PgConnectOptions);

impl MessageDb {
    /// Looks for it on the server of the options.
    ///
    /// # Errors
    /// Why it cannot be measured, to be shown.
    pub(in crate::cli::bench::all) async fn find(server: &PgConnectOptions) -> Result<Self, String> {
        let found = Self(server.clone().database(DATABASE));
        let no_database = |error: sqlx::Error| format!("no database `{DATABASE}` can be used on this server: {error}");
        let mut session = found.session().await.map_err(no_database)?;
        match sqlx::query_scalar(CAN_WRITE).fetch_one(&mut session).await {
            Ok(true) => Ok(found),
            Ok(false) => {
                let role = server.get_username();
                Err(format!(
                    "the database `{DATABASE}` has no function message_store.write_message that the role `{role}` may call"
                ))
            }
            Err(error) => Err(no_database(error)),
        }
    }

    async fn session(&self) -> sqlx::Result<PgConnection> {
        let mut session = self.0.connect().await?;
        // Its functions name each other without their schema.
        session.execute("SET search_path TO message_store, public").await?;
        Ok(session)
    }
}

/// A client that writes one message after the other.
struct Writes {
    session: PgConnection,
    bank: Bank,
}

/// So many clients that write one message after the other.
pub(in crate::cli::bench::all) async fn writes(
    message_db: &MessageDb,
    clients: usize,
    bank: Bank,
) -> anyhow::Result<Vec<impl Asks>> {
    let mut writing = Vec::with_capacity(clients);
    for _ in 0..clients {
        writing.push(Writes { session: message_db.session().await?, bank });
    }
    Ok(writing)
}

impl Asks for Writes {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let event = self.bank.movement(number);
        sqlx::query(WRITE)
            .bind(Uuid::now_v7().to_string())
            .bind(event.stream())
            .bind(event.event_type)
            .bind(event.data())
            .execute(&mut self.session)
            .await?;
        Ok(())
    }
}

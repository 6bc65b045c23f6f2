//! Which log a database has.
//!
//! A database that is restored, under a host that runs, has a log that another one was before: its positions may be given a second time.

use sqlx::PgPool;
use uuid::Uuid;

use super::event::Position;
use crate::postgres::{ANSWER_TIMEOUT, has_sqlstate, sqlstate::INSUFFICIENT_PRIVILEGE, within};

/// What distinguishes a log from one of another time or place, as far as it can be told: the id that it got when it was made; the table
/// that holds its head, which a restored dump makes again; the server and its timeline, which a restored backup or a promoted replica begins.
/// A role that may not see the last two does without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity(String);

/// A look at the log.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) position: Position,
    pub(super) identity: Identity,
    /// Whether the session that looked may not write.
    pub(super) is_read_only: bool,
}

/// The id that the log of a database got when it was made. A copy of the database has the same.
///
/// # Errors
/// Postgres fails, or does not answer in time.
pub async fn log_id(pool: &PgPool) -> Result<Uuid, sqlx::Error> {
    let read = sqlx::query_scalar("SELECT log_id FROM gnomon.head").fetch_one(pool);
    within(ANSWER_TIMEOUT, "the id of the log", read).await
}

macro_rules! look {
    ($server:literal) => {
        concat!(
            "SELECT position, concat_ws('/', log_id, head.tableoid, ",
            $server,
            "), current_setting('transaction_read_only') = 'on' FROM gnomon.head"
        )
    };
}

/// Looks at the log.
pub(super) async fn look(pool: &PgPool) -> Result<Look, sqlx::Error> {
    const WITH_SERVER: &str =
        look!("(SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint())");
    let ask = async |statement: &'static str| {
        let row: (Position, String, bool) =
            within(ANSWER_TIMEOUT, "the head of the log", sqlx::query_as(statement).fetch_one(pool)).await?;
        let (position, identity, is_read_only) = row;
        Ok::<_, sqlx::Error>(Look { position, identity: Identity(identity), is_read_only })
    };
    match ask(WITH_SERVER).await {
        Err(error) if has_sqlstate(&error, INSUFFICIENT_PRIVILEGE) => ask(look!("NULL")).await,
        looked => looked,
    }
}

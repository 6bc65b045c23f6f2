//! Reactors as users see them.

use std::time::Duration;

use gnomon_values::Instant;
use sqlx::{PgPool, types::Json};

use super::state::Work;
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, sql_row, within},
    read_model::{Identifier, TableDeclaration},
    subscriptions::{OnFailure, StopError},
};

/// A reactor whose last commit is older has no rate.
const RATE_VALID_FOR: Duration = Duration::from_secs(10);

/// A reactor as users see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactorSummary {
    /// Its name.
    pub name: Identifier,
    /// The version that works.
    pub version: ModuleVersion,
    /// Whether it is worked on.
    pub work: Work,
    /// What happens at an event that its module cannot handle.
    pub on_failure: OnFailure,
    /// The position up to which it has handled every event.
    pub checkpoint: Position,
    /// The position of the newest event.
    pub head: Position,
    /// Positions of the log that it passed in a second, in the last seconds; 0 if it does not move.
    pub events_per_second: f64,
    /// Why it stopped, if it did.
    pub error: Option<StopError>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// How many dead letters were handled after events that come later in the log.
    pub out_of_order: u64,
    /// How many schedules it has.
    pub schedules: u64,
    /// When the first of them is due.
    pub next_due_at: Option<Instant>,
    /// The position behind which it began.
    pub began_after: Position,
    /// The tables in its schema.
    pub tables: Vec<TableDeclaration>,
    /// The upcasters that its events go through.
    pub upcasters: Vec<(Identifier, ModuleVersion)>,
    /// When it was deployed first.
    pub created_at: Instant,
    /// When its version was activated.
    pub activated_at: Instant,
}

struct SummaryRow {
    name: Identifier,
    version: ModuleVersion,
    work: Work,
    on_failure: OnFailure,
    checkpoint: Position,
    head: Position,
    events_per_second: f64,
    error: Option<Json<StopError>>,
    dead_letters: i64,
    out_of_order: i64,
    schedules: i64,
    next_due_at: Option<PgTimestamp>,
    began_after: Position,
    tables: Json<Vec<TableDeclaration>>,
    upcasters: Json<Vec<(Identifier, ModuleVersion)>>,
    created_at: PgTimestamp,
    activated_at: PgTimestamp,
}

sql_row!(SummaryRow {
    name,
    version,
    work,
    on_failure,
    checkpoint,
    head,
    events_per_second,
    error,
    dead_letters,
    out_of_order,
    schedules,
    next_due_at,
    began_after,
    tables,
    upcasters,
    created_at,
    activated_at
});

impl SummaryRow {
    fn summary(self) -> ReactorSummary {
        ReactorSummary {
            name: self.name,
            version: self.version,
            work: self.work,
            on_failure: self.on_failure,
            // The checkpoint may be of an event that was committed after the head was read.
            head: self.head.max(self.checkpoint),
            checkpoint: self.checkpoint,
            events_per_second: self.events_per_second,
            error: self.error.map(|error| error.0),
            dead_letters: self.dead_letters.cast_unsigned(),
            out_of_order: self.out_of_order.cast_unsigned(),
            schedules: self.schedules.cast_unsigned(),
            next_due_at: self.next_due_at.map(PgTimestamp::instant),
            began_after: self.began_after,
            tables: self.tables.0,
            upcasters: self.upcasters.0,
            created_at: self.created_at.instant(),
            activated_at: self.activated_at.instant(),
        }
    }
}

/// The reactors, or the one of this name, by name.
pub(crate) async fn summaries(pool: &PgPool, name: Option<&Identifier>) -> Result<Vec<ReactorSummary>, sqlx::Error> {
    let rows = sqlx::query_as(
        "SELECT name, version, work, on_failure, checkpoint, head.position AS head,
                CASE WHEN work = 'running' AND committed_at > clock_timestamp() - $2 THEN events_per_second ELSE 0 END
                    AS events_per_second,
                error, out_of_order, began_after, tables, upcasters, created_at, activated_at,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = reactor) AS dead_letters,
                (SELECT count(*) FROM gnomon.schedules WHERE schedules.reactor = reactors.reactor) AS schedules,
                (SELECT min(due_at) FROM gnomon.schedules WHERE schedules.reactor = reactors.reactor) AS next_due_at
         FROM gnomon.reactors JOIN gnomon.subscriptions ON subscription = reactor, gnomon.head
         WHERE $1::text IS NULL OR name = $1
         ORDER BY name",
    )
    .bind(name)
    .bind(RATE_VALID_FOR)
    .fetch_all(pool);
    let rows: Vec<SummaryRow> = within(ANSWER_TIMEOUT, "the reactors", rows).await?;
    Ok(rows.into_iter().map(SummaryRow::summary).collect())
}

//! Trying again what failed.

use std::{collections::HashSet, sync::Arc};

use sqlx::{PgConnection, types::Json};
use tracing::info;

use super::{
    BuildId, Projector,
    build::Status,
    commit::{Batches, Effect, RetryProgress, Step, commit},
    dead_letters, feed,
    fold::Folder,
    history::Change,
    operation::{Found, OperateError, Operation, set_status},
    policy::OnFailure,
    worker::{WorkError, Worker},
};
use crate::{
    event_log::{Filter, Position},
    read_model::{Identifier, TableSet},
    runtime::{Delivery, Descriptor},
};

/// Dead letters that are tried again at once.
const PORTION: usize = 500;

/// What the order of events means to a projection.
pub(super) struct Order {
    /// The types of events that it is given; all if there are none.
    pub(super) types: Vec<String>,
    /// Whether each of its rows depends on one stream only, so that order between streams means nothing.
    pub(super) by_stream: bool,
}

/// Which dead letters are tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redelivery {
    /// Those of streams of which nothing later was folded: what comes out is as if they had never failed, for their streams.
    #[default]
    InOrder,
    /// All of them. One of a stream of which later events were folded is folded behind them, which the log does not say; the
    /// build is marked, see [`BuildSummary::out_of_order`](super::BuildSummary::out_of_order).
    All,
}

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    /// The build.
    pub build: BuildId,
    /// Dead letters that stay set aside, because later events of their streams were folded.
    pub overtaken: u64,
}

impl Redelivery {
    pub(super) fn as_sql(self) -> &'static str {
        match self {
            Self::InOrder => "in_order",
            Self::All => "all",
        }
    }

    pub(super) fn from_sql(text: &str) -> Result<Self, sqlx::Error> {
        match text {
            "in_order" => Ok(Self::InOrder),
            "all" => Ok(Self::All),
            other => Err(sqlx::Error::Decode(format!("`{other}` is not a way to try dead letters again").into())),
        }
    }
}

impl Projector {
    /// Tries again what failed, in the active build if none is named: a build that is halted or failed goes on at the event
    /// where it stopped; events that were set aside are folded in their order, and set aside again if they still fail.
    ///
    /// # Errors
    /// There is no such build, it is paused or retired, all that could be tried again is overtaken by later events, or Postgres
    /// fails.
    pub async fn retry(
        &self,
        name: &Identifier,
        build: Option<BuildId>,
        redelivery: Redelivery,
    ) -> Result<Retried, OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build_or_active(build).await?;
        match found.status {
            Status::Running | Status::Halted | Status::Failed => {}
            Status::Paused => return Err(operation.wrong_state(&found, "resume it first")),
            Status::Retired => return Err(operation.wrong_state(&found, "its tables are gone; rebuild the projection")),
        }
        // From here on its checkpoint and its dead letters stand still.
        operation.take_over(&[found.build]).await?;
        let mut overtaken = 0;
        if redelivery == Redelivery::InOrder {
            let types = types_read(operation.connection(), name, &found).await?;
            let letters = dead_letters::overtaken(operation.connection(), found.build, &types).await?;
            overtaken = letters.iter().map(|(_, letters)| letters).sum();
            let all = dead_letters::count(operation.connection(), found.build).await?;
            if found.status == Status::Running && overtaken > 0 && overtaken == all {
                let projection = name.clone();
                return Err(OperateError::Overtaken { projection, build: found.build, letters: overtaken });
            }
        }
        set_status(operation.connection(), found.build, Status::Running).await?;
        sqlx::query("UPDATE gnomon.builds SET retrying = $2, retried_to = 0 WHERE build = $1")
            .bind(found.build.0)
            .bind(redelivery.as_sql())
            .execute(operation.connection())
            .await?;
        let cause = match redelivery {
            Redelivery::InOrder => "an operator asked for it",
            Redelivery::All => "an operator asked for it, out of order where later events were folded",
        };
        operation.note(Some(found.build), Change::Retried, cause).await?;
        operation.commit().await?;
        Ok(Retried { build: found.build, overtaken })
    }
}

/// The types of events that a build is given before its upcasters; none if it is given all.
async fn types_read(
    connection: &mut PgConnection,
    projection: &Identifier,
    found: &Found,
) -> Result<Vec<String>, sqlx::Error> {
    let upcasters = found.upcasters.iter().map(|upcaster| (&upcaster.name, upcaster.version));
    let (names, versions): (Vec<&str>, Vec<i32>) = std::iter::once((projection, found.version))
        .chain(upcasters)
        .map(|(name, version)| (name.as_str(), version.to_sql()))
        .unzip();
    let descriptors: Vec<Json<Descriptor>> = sqlx::query_scalar(
        "SELECT descriptor FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS wanted (module, version, place)
         JOIN gnomon.module_versions USING (module, version) ORDER BY place",
    )
    .bind(names)
    .bind(versions)
    .fetch_all(connection)
    .await?;
    let mut filter = Filter::default();
    for descriptor in descriptors {
        match descriptor.0 {
            Descriptor::Projection(descriptor) => filter = feed::filter(&descriptor),
            Descriptor::Upcaster(upcaster) => filter.widen(upcaster.steps.iter().map(|step| step.event_type.as_str())),
        }
    }
    Ok(filter.types)
}

impl Worker {
    /// Folds the events that were set aside, in their order, over the rows as they are, those behind `after`. Those that still
    /// fail, and later ones of a parked stream, stay set aside.
    pub(super) async fn redeliver(
        &self,
        mut folder: Folder,
        tables: &Arc<TableSet>,
        checkpoint: Position,
        (redelivery, mut after): (Redelivery, Position),
        order: &Order,
    ) -> Result<Folder, WorkError> {
        let (pool, build) = (&self.shared.pool, self.job.build);
        let overtaken = dead_letters::overtaken(&mut *pool.acquire().await?, build, &order.types).await?;
        let overtaken: HashSet<String> = overtaken.into_iter().map(|(stream, _)| stream).collect();
        let (mut tried, mut left) = (0, 0);
        // What was set aside once is not halted at; but nothing of its stream overtakes it.
        let on_failure = self.job.on_failure;
        folder.on_failure(if on_failure == OnFailure::Halt { OnFailure::Park } else { on_failure });
        folder.park(dead_letters::parked_streams(pool, build, after).await?);
        let mut done = false;
        while !done {
            let letters = dead_letters::letters(pool, build, after, PORTION).await?;
            done = letters.len() < PORTION;
            after = letters.last().map_or(after, |(last, _)| *last);
            let tries = |stream: &str| redelivery == Redelivery::All || !overtaken.contains(stream);
            let letters: Vec<_> = letters.into_iter().filter(|(_, stream)| tries(stream)).collect();
            let positions: Vec<Position> = letters.iter().map(|(position, _)| *position).collect();
            let events = self.shared.log.read_at(&positions).await?;
            let events: Vec<Delivery> = events.into_iter().map(Delivery::from).collect();
            let (back, folded) = tokio::task::spawn_blocking(move || {
                let folded = folder.fold(events, &[]);
                (folder, folded)
            })
            .await
            .map_err(|_| WorkError::Lost)?;
            folder = back;
            let folded = folded.map_err(WorkError::Host)?;
            let failed: HashSet<Position> = folded.set_aside.iter().map(|letter| letter.position).collect();
            let out_of_order = letters.iter().filter(|(position, stream)| {
                !failed.contains(position) && (!order.by_stream || overtaken.contains(stream))
            });
            let retry = RetryProgress { to: after, done, out_of_order: out_of_order.count() as u64 };
            let step = Step {
                from: checkpoint,
                to: checkpoint,
                events_per_second: 0.0,
                replayable: false,
                max_dead_letters: self.shared.settings.max_dead_letters,
                batches: Batches::default(),
            };
            let effect = Effect {
                writes: &folded.writes,
                taken_back: &positions,
                set_aside: &folded.set_aside,
                retry: Some(retry),
            };
            commit(pool, self.lease, tables, &step, &effect).await?;
            folded.set_aside.iter().for_each(|letter| self.tell_set_aside(letter));
            tried += positions.len();
            left += folded.set_aside.len();
        }
        folder.on_failure(on_failure);
        if tried > 0 {
            info!(%build, projection = %self.job.projection, tried, left, "events that were set aside were tried again");
        }
        Ok(folder)
    }
}

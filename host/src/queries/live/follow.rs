//! Beginning to follow a query.

use std::sync::{Arc, atomic::Ordering};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    event::{LiveId, SnapshotReason},
    group::{Join, Joiner},
    hub::Hub,
    queue::{LiveRows, Queue},
    registry::{LiveLoad, LiveQueries},
};
use crate::{
    builds::is_active,
    queries::{Queries, error::ReadError, read::query_on, request::ReadRequest},
    read_model::{Identifier, query::QueryError},
};

impl LiveQueries {
    /// Gives somebody to the hub of a projection, which begins if there is none.
    fn join(&self, queries: &Queries, projection: &Identifier, join: Join) {
        let mut hubs = self.hubs();
        let join = match hubs.get(projection) {
            None => join,
            Some(hub) => match hub.send(join) {
                Ok(()) => return,
                // It has panicked.
                Err(mpsc::error::SendError(join)) => join,
            },
        };
        let (sender, joins) = mpsc::unbounded_channel();
        // Its receiver is there.
        let _ = sender.send(join);
        hubs.insert(projection.clone(), sender);
        tokio::spawn(Hub::new(queries.clone(), self.clone(), projection.clone(), joins).run());
    }
}

impl Queries {
    /// Follows the rows of a query: those that match now, or what has become of them since `last_id`, and then each change.
    ///
    /// # Errors
    /// There is nothing to read, the query is wrong or cannot be followed, it is too large, or Postgres fails.
    pub async fn follow(&self, request: ReadRequest<'_>, last_id: Option<&str>) -> Result<LiveRows, ReadError> {
        self.again(request.projection, || self.check_followed(request)).await?;
        let known = last_id.and_then(LiveId::parse);
        let known =
            known.filter(|known| known.query == LiveId::query(request.projection, request.table, request.query));
        let reason = match last_id {
            None | Some(LiveId::NONE | "") => SnapshotReason::Begin,
            Some(_) => SnapshotReason::Gap,
        };
        let (started, has_started) = oneshot::channel();
        let queue = Arc::new(Queue::default());
        let from = known.map(|known| known.contents);
        let joiner = Joiner { queue: Arc::clone(&queue), reason, from, started: Some(started) };
        let join = Join {
            table: request.table.to_owned(),
            query: request.query.to_owned(),
            limits: request.limits.clone(),
            joiner,
        };
        // Dropped before it begins, it has left.
        let rows = LiveRows::new(queue);
        self.live.join(self, request.projection, join);
        match timeout(request.limits.timeout, has_started).await {
            Ok(Ok(Ok(()))) => Ok(rows),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(_)) => Err(ReadError::Followed("the task that reads its rows is gone; try again".to_owned())),
            Err(_) => Err(ReadError::TimedOut(request.limits.timeout)),
        }
    }

    /// Checks that a query can be followed. `None` if the remembered build is not the active one any more.
    async fn check_followed(&self, request: ReadRequest<'_>) -> Result<Option<()>, ReadError> {
        let active = self.active(request.projection).await?;
        let checked = query_on(&active.tables, &request).and_then(|query| {
            query.followed().map_err(ReadError::Query)?;
            match query.to_live_sql(active.tables.schema().as_str(), 1).depends_on_clock {
                true => Err(ReadError::Query(QueryError::live_by_the_clock())),
                false => Ok(()),
            }
        });
        match checked {
            Err(ReadError::NoTable { .. } | ReadError::Query(_)) if !is_active(&self.pool, active.build).await? => {
                Ok(None)
            }
            checked => checked.map(Some),
        }
    }

    /// How much live queries have to do.
    #[must_use]
    pub fn live_load(&self) -> LiveLoad {
        let shared = &self.live.0;
        LiveLoad {
            followers: shared.followers.load(Ordering::Relaxed),
            rows: shared.rows.load(Ordering::Relaxed),
            waiting_bytes: shared.waiting_bytes.load(Ordering::Relaxed),
            looks: shared.looks.load(Ordering::Relaxed),
            reads: shared.reads.load(Ordering::Relaxed),
        }
    }
}

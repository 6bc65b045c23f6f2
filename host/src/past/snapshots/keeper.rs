//! Keeps snapshots beside the answers: who asks for the past does not wait until they are written.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sqlx::PgPool;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::{
    lineage::Lineage,
    spacing::Taken,
    store::{self, Snapshot},
};
use crate::{
    event_log::{Position, StreamName, StreamVersion},
    past::reading::EventStamp,
    read_model::{Table, WriteSet},
};

/// Bytes of snapshots that wait to be written, of which more are dropped: they are taken again when they are needed again.
const MAX_WAITING_BYTES: usize = 16 << 20;
/// Bytes of snapshots that are written at once, about.
const WRITE_BYTES: usize = 2 << 20;
/// Snapshots that are written at once.
const WRITE_COUNT: usize = 500;
/// Bytes that are counted as one.
const UNIT: usize = 1024;

/// The snapshots of a database, and those that this host is about to write. Clones are handles on one.
#[derive(Clone, Debug)]
pub(in crate::past) struct Keeper(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    max_bytes: u64,
    room: Arc<Semaphore>,
    /// One session at a time writes them: they are never urgent.
    writing: Semaphore,
    /// Bytes that were written since it was last looked whether there are too many.
    unswept: AtomicU64,
}

impl Keeper {
    pub(in crate::past) fn new(pool: PgPool, max_bytes: u64) -> Self {
        Self(Arc::new(Shared {
            pool,
            max_bytes,
            room: Arc::new(Semaphore::new(MAX_WAITING_BYTES / UNIT)),
            writing: Semaphore::new(1),
            // A host looks at its first snapshot: others may have left more than it allows.
            unswept: AtomicU64::new(max_bytes),
        }))
    }

    /// The newest snapshot of a stream up to a version, and before the event at a position.
    pub(in crate::past) async fn nearest(
        &self,
        lineage: Lineage,
        stream: &StreamName,
        to: StreamVersion,
        before: Option<Position>,
        tables: &[Arc<Table>],
    ) -> Result<Option<(EventStamp, WriteSet)>, sqlx::Error> {
        loop {
            let found = store::nearest(&self.0.pool, lineage, stream, to, before, tables).await?;
            let Some(Snapshot { stamp, rows, is_noted_long_ago }) = found else { return Ok(None) };
            let Some(rows) = rows else {
                warn!(%stream, version = %stamp.version, "a snapshot is not what was written, and is removed");
                self.forget(lineage, stream, &stamp).await?;
                continue;
            };
            if is_noted_long_ago {
                self.note_used(lineage, stream, stamp.version);
            }
            return Ok(Some((stamp, rows)));
        }
    }

    /// Removes a snapshot that is not one of this log, or not what was written.
    pub(in crate::past) async fn forget(
        &self,
        lineage: Lineage,
        stream: &StreamName,
        stamp: &EventStamp,
    ) -> Result<(), sqlx::Error> {
        store::forget(&self.0.pool, lineage, stream, stamp).await
    }

    fn note_used(&self, lineage: Lineage, stream: &StreamName, version: StreamVersion) {
        let (keeper, stream) = (self.clone(), stream.clone());
        tokio::spawn(async move {
            if let Err(error) = store::note_used(&keeper.0.pool, lineage, &stream, version).await {
                debug!(%error, "cannot note that a snapshot is used");
            }
        });
    }

    /// Keeps snapshots of a stream, if there is room for them.
    pub(in crate::past) fn keep(&self, lineage: Lineage, stream: &StreamName, taken: Vec<Taken>) {
        for some in in_writes(taken) {
            let bytes: usize = some.iter().map(|taken| taken.contents.len()).sum();
            let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
            let Ok(room) = Arc::clone(&self.0.room).try_acquire_many_owned(units) else {
                debug!(%stream, "snapshots are not kept: others wait to be written");
                return;
            };
            let (keeper, stream) = (self.clone(), stream.clone());
            tokio::spawn(async move {
                keeper.write(lineage, &stream, &some).await;
                drop(room);
            });
        }
    }

    /// Whether all snapshots are written that were to be kept.
    #[cfg(test)]
    pub(in crate::past) fn is_idle(&self) -> bool {
        self.0.room.available_permits() == MAX_WAITING_BYTES / UNIT
    }

    async fn write(&self, lineage: Lineage, stream: &StreamName, taken: &[Taken]) {
        let Shared { pool, max_bytes, writing, unswept, .. } = &*self.0;
        let Ok(_turn) = writing.acquire().await else { return };
        let written = match store::keep(pool, lineage, stream, taken).await {
            Ok(written) => written,
            Err(error) => {
                debug!(%error, %stream, "cannot keep snapshots");
                return;
            }
        };
        // All together there may be a sixteenth more of each host.
        if unswept.fetch_add(written, Ordering::Relaxed).saturating_add(written) < max_bytes / 16 {
            return;
        }
        unswept.store(0, Ordering::Relaxed);
        match store::sweep(pool, *max_bytes).await {
            Ok(0) => {}
            Ok(removed) => debug!(removed, "snapshots were removed (--max-snapshots-bytes)"),
            Err(error) => warn!(%error, "cannot remove old snapshots"),
        }
    }
}

/// In pieces that are written at once.
fn in_writes(taken: Vec<Taken>) -> Vec<Vec<Taken>> {
    let (mut writes, mut some, mut bytes) = (Vec::new(), Vec::new(), 0);
    for one in taken {
        bytes += one.contents.len();
        some.push(one);
        if bytes >= WRITE_BYTES || some.len() == WRITE_COUNT {
            writes.push(std::mem::take(&mut some));
            bytes = 0;
        }
    }
    writes.push(some);
    writes.retain(|some| !some.is_empty());
    writes
}

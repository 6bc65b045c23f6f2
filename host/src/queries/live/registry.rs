//! The live queries of a host: who looks for them, and how much they have to do.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{group::Join, limits::MAX_WAITING_BYTES_IN_SUM};
use crate::{metrics, read_model::Identifier};

/// The live queries of a host. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub(in crate::queries) struct LiveQueries(pub(super) Arc<Shared>);

#[derive(Debug, Default)]
pub(super) struct Shared {
    /// By which each hub is told who joins.
    hubs: Mutex<HashMap<Identifier, mpsc::UnboundedSender<Join>>>,
    /// The bytes that wait for all followers.
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    /// The rows that all of them have, and how many they are.
    pub(super) rows: AtomicUsize,
    pub(super) followers: AtomicUsize,
    pub(super) looks: AtomicU64,
    pub(super) reads: AtomicU64,
}

/// How much live queries have to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveLoad {
    /// Those who follow.
    pub followers: usize,
    /// The rows that they have.
    pub rows: usize,
    /// The bytes that wait for them.
    pub waiting_bytes: usize,
    /// How often it was looked for them.
    pub looks: u64,
    /// The statements that have read rows for them.
    pub reads: u64,
}

impl LiveQueries {
    /// By which each hub is told who joins.
    pub(super) fn hubs(&self) -> MutexGuard<'_, HashMap<Identifier, mpsc::UnboundedSender<Join>>> {
        self.0.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a hub if nobody has joined it meanwhile. Returns whether it does.
    pub(super) fn close(&self, projection: &Identifier, joins: &mpsc::UnboundedReceiver<Join>) -> bool {
        let mut hubs = self.hubs();
        let is_over = joins.is_empty();
        if is_over {
            hubs.remove(projection);
        }
        is_over
    }

    /// A statement reads rows.
    pub(super) fn count_read(&self) {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        metrics::of_host().queries.read_for_followers();
    }

    /// Whether what waits for all followers is too much.
    pub(super) fn is_full(&self) -> bool {
        self.0.waiting_bytes.load(Ordering::Relaxed) > MAX_WAITING_BYTES_IN_SUM
    }
}

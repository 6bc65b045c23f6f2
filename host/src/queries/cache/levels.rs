//! Memory and Redis together.

use uuid::Uuid;

use super::{
    kept::{KeptAnswer, MAX_KEPT_ANSWER_BYTES},
    key::RequestKey,
    memory::Memory,
    settings::CacheSettings,
    shared::{OpenCache, SharedCache},
    stored::StoredKey,
};
use crate::{
    metrics,
    queries::{
        contents::Contents,
        request::{Count, ReadRequest},
    },
};

/// The answers that are kept.
#[derive(Debug)]
pub(in crate::queries) struct AnswerCache {
    memory: Option<Memory>,
    shared: Option<SharedCache>,
}

/// The search for the answer to one request.
pub(in crate::queries) struct Search<'c> {
    cache: &'c AnswerCache,
    key: RequestKey,
    in_memory: Option<KeptAnswer>,
    shared: Option<OpenCache>,
}

impl AnswerCache {
    pub(in crate::queries) fn new(settings: &CacheSettings) -> Self {
        let CacheSettings { cache_bytes, cache_url } = settings;
        Self { memory: Memory::new(*cache_bytes), shared: cache_url.as_ref().map(SharedCache::new) }
    }

    /// Begins to search. `None` if no answer to this request is kept, whatever its rows are.
    pub(in crate::queries) fn search(&self, request: &ReadRequest<'_>) -> Option<Search<'_>> {
        let is_kept = request.plan.is_none() && request.count != Count::Planned;
        if !is_kept || self.memory.is_none() && self.shared.is_none() {
            return None;
        }
        let key = RequestKey::of(request)?;
        let in_memory = self.memory.as_ref().and_then(|memory| memory.get(&key));
        let shared = self.shared.as_ref().and_then(SharedCache::open);
        Some(Search { cache: self, key, in_memory, shared })
    }

    /// The bytes of the answers in memory, and those that they may have.
    pub(in crate::queries) fn bytes(&self) -> (usize, usize) {
        self.memory.as_ref().map(Memory::bytes).unwrap_or_default()
    }
}

impl Search<'_> {
    /// Whether there may be an answer, so that it is worth to know what the rows are now. A query that is new to this host, which shares with none,
    /// pays nothing for the cache.
    pub(in crate::queries) fn may_succeed(&self) -> bool {
        self.in_memory.is_some() || self.shared.is_some()
    }

    /// The answer from these rows of this log.
    pub(in crate::queries) async fn find(&mut self, log: Uuid, contents: Contents) -> Option<KeptAnswer> {
        let measures = &metrics::of_host().queries;
        if let Some(answer) = self.in_memory.take_if(|answer| answer.contents == contents) {
            measures.found_in_memory();
            return Some(answer);
        }
        let key = StoredKey { log, contents, request: &self.key };
        let answer = self.shared.as_mut()?.get(&key).await?;
        measures.found_in_redis();
        if let Some(memory) = &self.cache.memory {
            memory.keep(self.key.clone(), answer.clone());
        }
        Some(answer)
    }

    /// Keeps an answer that was read instead. `log` is the log that was seen before, if one was.
    pub(in crate::queries) fn keep(self, log: Option<Uuid>, answer: KeptAnswer) {
        debug_assert!(answer.text.len() <= MAX_KEPT_ANSWER_BYTES);
        let Self { cache, key, shared, .. } = self;
        if let (Some(shared), Some(log)) = (shared, log) {
            shared.store(&StoredKey { log, contents: answer.contents, request: &key }, &answer);
        }
        if let Some(memory) = &cache.memory {
            memory.keep(key, answer);
        }
    }
}

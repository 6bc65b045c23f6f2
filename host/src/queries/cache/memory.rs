//! The answers in the memory of this host.

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use super::{
    kept::{KeptAnswer, MAX_KEPT_ANSWER_BYTES},
    key::RequestKey,
};

/// What an answer takes beside its key and its text, about: its fields, the heads of three allocations, its slot among the others, and the hash
/// that is remembered of it for a while after it is dropped.
const OVERHEAD: usize = 256;
/// A typical answer, to guess how many there will be.
const TYPICAL_BYTES: usize = 2048;
/// The parts of the memory that can be used at the same time, at most; each has room for some of the largest answers.
const MAX_PARTS: usize = 16;
const MIN_PART_BYTES: usize = 8 * MAX_KEPT_ANSWER_BYTES;

/// Answers by what they answer: of each request the newest that was read. When there are too many bytes, those go first that were not asked for
/// again (S3-FIFO), so a reader that goes through a whole table once does not drive out what others ask for.
#[derive(Debug)]
pub(in crate::queries) struct Memory {
    answers: Cache<RequestKey, KeptAnswer, ByBytes>,
    max: usize,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<RequestKey, KeptAnswer> for ByBytes {
    fn weight(&self, key: &RequestKey, answer: &KeptAnswer) -> u64 {
        (key.as_bytes().len() + answer.text.len() + OVERHEAD) as u64
    }
}

impl Memory {
    /// Memory of so many bytes; `None` if there are none.
    pub(in crate::queries) fn new(max: usize) -> Option<Self> {
        if max == 0 {
            return None;
        }
        // Not by `Default`, which asks how many processors there are, and so keeps other answers on other machines.
        let options = OptionsBuilder::new()
            .weight_capacity(max as u64)
            .estimated_items_capacity((max / TYPICAL_BYTES).max(1))
            .shards((max / MIN_PART_BYTES).clamp(1, MAX_PARTS))
            .build()
            .ok()?;
        let answers = Cache::with_options(options, ByBytes, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Some(Self { answers, max })
    }

    pub(in crate::queries) fn get(&self, key: &RequestKey) -> Option<KeptAnswer> {
        self.answers.get(key)
    }

    /// Keeps an answer in place of an older one to the same request.
    pub(in crate::queries) fn keep(&self, key: RequestKey, answer: KeptAnswer) {
        self.answers.insert(key, answer);
    }

    /// The bytes that are used, and those that may be.
    pub(in crate::queries) fn bytes(&self) -> (usize, usize) {
        (usize::try_from(self.answers.weight()).unwrap_or(usize::MAX), self.max)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;
    use crate::{
        queries::{contents::Contents, limits::ReadLimits, request::ReadRequest},
        read_model::{Identifier, query::Shape},
    };

    fn key(query: &str) -> RequestKey {
        let request = ReadRequest {
            projection: &Identifier::new("p").unwrap(),
            table: "t",
            query,
            shape: Shape::List,
            exact_count: false,
            limits: &ReadLimits::default(),
        };
        RequestKey::of(&request).unwrap()
    }

    fn answer(bytes: usize) -> KeptAnswer {
        let text = Bytes::from(vec![b'x'; bytes]);
        KeptAnswer { contents: Contents(Uuid::new_v4()), rows: 1, offset: 0, total: None, next: None, text }
    }

    #[test]
    fn the_memory_is_bounded_in_bytes_of_keys_and_texts() {
        assert!(Memory::new(0).is_none());
        for max in [10_000, 1 << 20, 8 << 20] {
            let memory = Memory::new(max).unwrap();
            for number in 0..3000 {
                memory.keep(key(&format!("id=eq.{number}")), answer(number % 50 * 200));
                let (used, of) = memory.bytes();
                assert!(used <= max && of == max, "{used} of {max}");
            }
            assert!(memory.bytes().0 > max / 2, "{} of {max}", memory.bytes().0);
            let (texts, answers) = memory.answers.iter().fold((0, 0), |(bytes, count), (key, answer)| {
                (bytes + key.as_bytes().len() + answer.text.len(), count + 1)
            });
            assert_eq!(memory.bytes().0, texts + answers * OVERHEAD);
        }
    }

    #[test]
    fn an_answer_takes_the_place_of_an_older_one_and_the_largest_fits() {
        let memory = Memory::new(MIN_PART_BYTES).unwrap();
        memory.keep(key("a"), answer(10));
        let newer = answer(MAX_KEPT_ANSWER_BYTES);
        memory.keep(key("a"), newer.clone());
        assert_eq!(memory.get(&key("a")), Some(newer));
        assert_eq!(memory.answers.len(), 1);
    }

    #[test]
    fn who_reads_everything_once_does_not_drive_out_what_is_asked_for_again() {
        let memory = Memory::new(1 << 20).unwrap();
        for _ in 0..3 {
            for number in 0..50 {
                if memory.get(&key(&format!("hot={number}"))).is_none() {
                    memory.keep(key(&format!("hot={number}")), answer(2000));
                }
            }
        }
        for number in 0..5000 {
            memory.keep(key(&format!("once={number}")), answer(2000));
        }
        let left = (0..50).filter(|number| memory.get(&key(&format!("hot={number}"))).is_some()).count();
        assert_eq!(left, 50);
    }
}

//! Splits the events of a test into batches, in several ways.

use std::{collections::HashMap, fmt};

/// The most instances in one plan. Each is a process on Unix.
const MAX_INSTANCES: usize = 64;
/// The most batches in one random plan: enough for many different sizes.
const MAX_RANDOM_BATCHES: usize = 256;

/// A way to fold all events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchPlan {
    /// The order of the events, if it is not that of the log.
    order: Option<Vec<usize>>,
    /// For each instance, the sizes of the batches that it handles.
    instances: Vec<Vec<usize>>,
}

impl BatchPlan {
    fn in_order(instances: Vec<Vec<usize>>) -> Self {
        Self { order: None, instances }
    }

    /// Whether the events are handled in the order of the log.
    pub(super) fn keeps_order(&self) -> bool {
        self.order.is_none()
    }

    /// The events of each batch of each instance, by their indexes in the log.
    pub(super) fn instances(&self) -> impl Iterator<Item = Vec<Vec<usize>>> {
        let mut from = 0;
        self.instances.iter().map(move |instance| {
            instance
                .iter()
                .map(|size| {
                    let batch = from..from + size;
                    from = batch.end;
                    match &self.order {
                        Some(order) => order[batch].to_vec(),
                        None => batch.collect(),
                    }
                })
                .collect()
        })
    }
}

/// The plan for messages: `2 batches of 1, 4 events`, with `memory lost` between two instances.
impl fmt::Display for BatchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 12;
        if self.order.is_some() {
            f.write_str("stream by stream, the last one first, in ")?;
        }
        let batches: usize = self.instances.iter().map(Vec::len).sum();
        if batches == 1 {
            return f.write_str("all events in one batch");
        }
        let mut sizes = Vec::new();
        for (number, instance) in self.instances.iter().enumerate() {
            if number > 0 {
                sizes.push("memory lost".to_owned());
            }
            sizes.extend(instance.iter().map(usize::to_string));
        }
        let more = if sizes.len() > SHOWN { ", …" } else { "" };
        sizes.truncate(SHOWN);
        write!(f, "{batches} batches of {}{more} events", sizes.join(", "))
    }
}

/// The plans to run. The first has all events in one batch.
pub(super) fn plans(streams: &[&str], partitioned: bool) -> Vec<BatchPlan> {
    let count = streams.len();
    let mut plans = vec![BatchPlan::in_order(vec![vec![count]])];
    if count < 2 {
        return plans;
    }
    let mut random = Random(0x5eed);
    plans.push(BatchPlan::in_order(vec![vec![1; count]]));
    plans.push(BatchPlan::in_order(random.cut(count, MAX_INSTANCES).into_iter().map(|size| vec![size]).collect()));
    plans.push(BatchPlan::in_order(vec![vec![count / 2], vec![count - count / 2]]));
    for _ in 0..2 {
        let batches = random.cut(count, count.div_ceil(3).clamp(2, MAX_RANDOM_BATCHES));
        plans.push(BatchPlan::in_order(random.group(batches, MAX_INSTANCES / 2)));
    }
    if partitioned {
        plans.extend(stream_by_stream(streams));
    }
    plans.dedup();
    plans
}

/// The plan of a host that replays the streams of a partitioned projection separately; `None` for fewer than two streams.
fn stream_by_stream(streams: &[&str]) -> Option<BatchPlan> {
    let mut indexes: HashMap<&str, usize> = HashMap::new();
    let mut by_stream: Vec<Vec<usize>> = Vec::new();
    for (event, stream) in streams.iter().enumerate() {
        let index = *indexes.entry(stream).or_insert(by_stream.len());
        if index == by_stream.len() {
            by_stream.push(Vec::new());
        }
        by_stream[index].push(event);
    }
    by_stream.reverse();
    let sizes = by_stream.iter().map(Vec::len).collect();
    let instances = Random(0x57e9).group(sizes, MAX_INSTANCES / 2);
    (by_stream.len() > 1).then(|| BatchPlan { order: Some(by_stream.concat()), instances })
}

/// Pseudorandom numbers, the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) as usize % end
    }

    /// Splits `count` events into at most `pieces` pieces, and returns their sizes.
    fn cut(&mut self, count: usize, pieces: usize) -> Vec<usize> {
        if count <= pieces {
            return vec![1; count];
        }
        let mut cuts: Vec<usize> = (1..pieces).map(|_| 1 + self.below(count - 1)).collect();
        cuts.extend([0, count]);
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).map(|cut| cut[1] - cut[0]).collect()
    }

    /// Distributes batches over at most `instances` instances.
    fn group(&mut self, batches: Vec<usize>, instances: usize) -> Vec<Vec<usize>> {
        let mut rest = batches.as_slice();
        self.cut(batches.len(), instances.min(batches.len().div_ceil(2)))
            .into_iter()
            .map(|size| {
                let (instance, more) = rest.split_at(size);
                rest = more;
                instance.to_vec()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn events_of(plan: &BatchPlan) -> Vec<usize> {
        plan.instances().flatten().flatten().collect()
    }

    #[test]
    fn every_plan_has_each_event_once_and_no_empty_batch() {
        for count in [1, 2, 3, 7, 64, 65, 1_000, 20_000] {
            let streams: Vec<String> = (0..count).map(|event| format!("s-{}", event % 5)).collect();
            let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
            for plan in plans(&streams, true) {
                let mut events = events_of(&plan);
                assert_eq!(events.is_sorted(), plan.keeps_order());
                events.sort_unstable();
                assert_eq!(events, (0..count).collect::<Vec<_>>(), "{plan}");
                assert!(plan.instances().flatten().all(|batch| !batch.is_empty()), "{plan}");
                assert!(plan.instances.len() <= MAX_INSTANCES, "{plan}");
            }
        }
    }

    #[test]
    fn a_few_events_are_also_folded_one_by_one_with_and_without_memory() {
        let shown: Vec<String> = plans(&["a-1", "a-1", "a-2"], true).iter().map(BatchPlan::to_string).collect();
        assert_eq!(
            shown,
            [
                "all events in one batch",
                "3 batches of 1, 1, 1 events",
                "3 batches of 1, memory lost, 1, memory lost, 1 events",
                "2 batches of 1, memory lost, 2 events",
                "2 batches of 1, 2 events",
                "2 batches of 2, 1 events",
                "stream by stream, the last one first, in 2 batches of 1, 2 events",
            ]
        );
    }

    #[test]
    fn many_events_are_split_into_batches_of_many_sizes() {
        let streams = vec!["a-1"; 10_000];
        let sizes: BTreeSet<usize> = plans(&streams, false).iter().flat_map(|plan| plan.instances.concat()).collect();
        assert!(sizes.len() > 100, "{sizes:?}");
    }

    #[test]
    fn a_stream_is_never_split() {
        let streams = ["a-1", "a-2", "a-1", "a-3", "a-2"];
        let Some(plan) = stream_by_stream(&streams) else { panic!("there are several streams") };
        let batches: Vec<Vec<usize>> = plan.instances().flatten().collect();
        assert_eq!(batches, [vec![3], vec![1, 4], vec![0, 2]]);
        assert_eq!(stream_by_stream(&["a-1", "a-1"]), None);
    }
}

//! Counting by size.
//!
//! The histogram of `prometheus-client` takes a lock for each value; this one adds to three atomic numbers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::measure::Kind;

const NANOS: f64 = 1e9;

/// Values counted by upper bounds. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    bounds: &'static [f64],
    /// The bounds as values are counted: sizes, or nanoseconds.
    whole_bounds: Vec<u64>,
    /// What a second is, or a size of one.
    scale: f64,
    /// One more than there are bounds.
    buckets: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(kind: Kind) -> Self {
        let bounds = kind.buckets();
        let scale = if matches!(kind, Kind::Seconds(_)) { NANOS } else { 1.0 };
        // They are positive, and far below 2^64 ns.
        let whole_bounds = bounds.iter().map(|bound| (bound * scale).round() as u64).collect();
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Counts { bounds, whole_bounds, scale, buckets, sum: AtomicU64::new(0) }))
    }

    /// Counts a time.
    pub fn observe(&self, time: Duration) {
        let nanos = nanos(time);
        self.add(nanos, 1, nanos);
    }

    /// Counts so many values that took a time together, each with their mean.
    pub fn observe_mean(&self, time: Duration, values: usize) {
        let (nanos, values) = (nanos(time), values as u64);
        if let Some(mean) = nanos.checked_div(values) {
            self.add(mean, values, nanos);
        }
    }

    /// Counts a size.
    pub fn observe_size(&self, size: usize) {
        self.add(size as u64, 1, size as u64);
    }

    fn add(&self, value: u64, times: u64, sum: u64) {
        let counts = &*self.0;
        let bucket = counts.whole_bounds.partition_point(|bound| *bound < value);
        counts.buckets[bucket].fetch_add(times, Relaxed);
        counts.sum.fetch_add(sum, Relaxed);
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Relaxed)).sum()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let Counts { bounds, scale, buckets, sum, .. } = &*self.0;
        // The count is that of the buckets as they are read here, so that one never contradicts the other.
        let bounds = bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(buckets.iter().map(|bucket| bucket.load(Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = sum.load(Relaxed) as f64 / scale;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::prometheus_text, metrics::histogram, registry::Registry};

    use super::*;

    const BOUNDS: &[f64] = &[0.001, 0.01, 0.1];

    fn text(metric: impl prometheus_client::registry::Metric) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register("a", "A", metric);
        prometheus_text::encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn it_counts_as_the_one_of_the_library() {
        let (ours, theirs) = (Histogram::new(Kind::Seconds(BOUNDS)), histogram::Histogram::new(BOUNDS.iter().copied()));
        for micros in [0, 999, 1000, 1001, 10_000, 99_999, 100_000, 2_000_000] {
            let time = Duration::from_micros(micros);
            ours.observe(time);
            theirs.observe(time.as_secs_f64());
        }
        assert_eq!(text(ours), text(theirs));
    }

    #[test]
    fn a_batch_counts_each_event_with_the_mean_and_its_time_once() {
        let histogram = Histogram::new(Kind::Seconds(BOUNDS));
        histogram.observe_mean(Duration::from_millis(90), 30);
        histogram.observe_mean(Duration::from_millis(90), 0);
        let text = text(histogram);
        assert!(text.contains("a_bucket{le=\"0.001\"} 0\na_bucket{le=\"0.01\"} 30\n"), "{text}");
        assert!(text.contains("a_sum 0.09\na_count 30\n"), "{text}");
    }
}

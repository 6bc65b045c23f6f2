//! The series of a measure with labels, of which there is a bounded number.

use std::{
    hash::{Hash, Hasher},
    sync::{PoisonError, RwLock},
};

use hashbrown::{Equivalent, HashMap};
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::MetricType,
};

use super::measure::Measure;

/// What each label of a series is that has no room.
pub(super) const OTHER: &str = "other";

/// The series of one measure, by the values of its labels. Beyond a number of them, all others are one series.
#[derive(Debug)]
pub struct Series<M> {
    measure: &'static Measure,
    max: usize,
    make: fn(&'static Measure) -> M,
    series: RwLock<HashMap<Vec<String>, M>>,
}

/// The values of labels, as they are looked up.
struct Values<'a>(&'a [&'a str]);

impl Hash for Values<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Vec<String>> for Values<'_> {
    fn equivalent(&self, key: &Vec<String>) -> bool {
        self.0 == key
    }
}

impl<M: Clone> Series<M> {
    pub(super) fn new(measure: &'static Measure, max: usize, make: fn(&'static Measure) -> M) -> Self {
        Self { measure, max, make, series: RwLock::default() }
    }

    /// The series with these values, a new one if there is room for it; else the one of all others.
    #[must_use]
    pub fn of(&self, values: &[&str]) -> M {
        debug_assert_eq!(values.len(), self.measure.labels.len(), "{}", self.measure.name);
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner).get(&Values(values)).cloned();
        known.unwrap_or_else(|| self.add(values))
    }

    fn add(&self, values: &[&str]) -> M {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = series.len() < self.max || series.contains_key(&Values(values));
        let key = values.iter().map(|value| if has_room { (*value).to_owned() } else { OTHER.to_owned() });
        series.entry(key.collect()).or_insert_with(|| (self.make)(self.measure)).clone()
    }
}

impl<M: EncodeMetric + Clone> EncodeMetric for Series<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let mut series: Vec<(Vec<String>, M)> = {
            let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
            series.iter().map(|(values, metric)| (values.clone(), metric.clone())).collect()
        };
        series.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (values, metric) in series {
            let labels: Vec<_> = self.measure.labels.iter().copied().zip(values).collect();
            metric.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.measure.kind.metric_type()
    }

    fn is_empty(&self) -> bool {
        self.series.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Counter, names};

    #[test]
    fn what_has_no_room_is_one_series() {
        let series = Series::new(names::EVENTS_APPENDED, 2, |_| Counter::default());
        for event_type in ["A", "B", "C", "D", "A", "C"] {
            series.of(&[event_type]).inc();
        }
        let found = ["A", "B", "other"].map(|event_type| series.of(&[event_type]).get());
        assert_eq!(found, [2, 1, 3]);
        assert_eq!(series.series.read().unwrap().len(), 3);
    }
}

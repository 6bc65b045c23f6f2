//! What is read when somebody asks, and not before: sizes, states, ages.

use std::collections::BTreeMap;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Registry,
};

use super::measure::{Kind, Measure};

/// Values that were read just now. What is not in them is not shown.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    measures: BTreeMap<&'static str, Values>,
}

#[derive(Clone, Debug)]
struct Values {
    measure: &'static Measure,
    values: Vec<(Vec<String>, f64)>,
}

impl Readings {
    /// Adds the value of a measure, with the values of its labels.
    pub fn add(&mut self, measure: &'static Measure, labels: &[&str], value: f64) {
        debug_assert_eq!(labels.len(), measure.labels.len(), "{}", measure.name);
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let of = self.measures.entry(measure.name).or_insert_with(|| Values { measure, values: Vec::new() });
        of.values.push((labels, value));
    }

    /// Adds a number of things.
    pub fn add_count(&mut self, measure: &'static Measure, labels: &[&str], count: impl TryInto<u64>) {
        self.add(measure, labels, count.try_into().unwrap_or_default() as f64);
    }

    pub(super) fn into_registry(self) -> Registry {
        let mut registry = Registry::default();
        for (_, values) in self.measures {
            let measure = values.measure;
            registry.register(measure.registered_name(), measure.meaning, values);
        }
        registry
    }
}

impl EncodeMetric for Values {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        for (values, value) in &self.values {
            let labels = self.measure.labels.iter().copied().zip(values.iter().map(String::as_str));
            let labels: Vec<(&str, &str)> = labels.collect();
            let mut encoder = encoder.encode_family(&labels)?;
            match self.measure.kind {
                Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(value, None)?,
                _ => encoder.encode_gauge(value)?,
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.measure.kind.metric_type()
    }
}

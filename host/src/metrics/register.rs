//! Registering measures under the names of the table.

use std::sync::Arc;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::MetricType,
    registry::{Metric, Registry},
};

use super::{
    counter::{Counter, Gauge},
    histogram::Histogram,
    measure::Measure,
    series::Series,
};

/// Measures as they are registered.
#[derive(Debug, Default)]
pub(super) struct Register {
    pub(super) registry: Registry,
    #[cfg(test)]
    pub(super) measures: Vec<&'static Measure>,
}

impl Register {
    pub(super) fn counter(&mut self, measure: &'static Measure) -> Counter {
        self.add(measure, Counter::default())
    }

    pub(super) fn gauge(&mut self, measure: &'static Measure) -> Gauge {
        self.add(measure, Gauge::default())
    }

    pub(super) fn histogram(&mut self, measure: &'static Measure) -> Histogram {
        self.add(measure, Histogram::new(measure.kind))
    }

    /// Counters by labels, of at most `max` and one more.
    pub(super) fn counters(&mut self, measure: &'static Measure, max: usize) -> Arc<Series<Counter>> {
        self.series(measure, max, |_| Counter::default())
    }

    /// Counters by one label whose values are known.
    pub(super) fn counters_of(&mut self, measure: &'static Measure, values: &[&str]) -> Arc<Series<Counter>> {
        let counters = self.counters(measure, values.len());
        for value in values {
            let _ = counters.of(&[*value]);
        }
        counters
    }

    /// Histograms by labels, of at most `max` and one more.
    pub(super) fn histograms(&mut self, measure: &'static Measure, max: usize) -> Arc<Series<Histogram>> {
        self.series(measure, max, |measure| Histogram::new(measure.kind))
    }

    fn series<M: EncodeMetric + Clone + std::fmt::Debug + Send + Sync + 'static>(
        &mut self,
        measure: &'static Measure,
        max: usize,
        make: fn(&'static Measure) -> M,
    ) -> Arc<Series<M>> {
        let series = Arc::new(Series::new(measure, max, make));
        self.add(measure, Shared(Arc::clone(&series)));
        series
    }

    fn add<M: Metric + Clone>(&mut self, measure: &'static Measure, metric: M) -> M {
        #[cfg(test)]
        self.measures.push(measure);
        self.registry.register(measure.registered_name(), measure.meaning, metric.clone());
        metric
    }
}

/// A handle on series that can be registered.
#[derive(Debug)]
struct Shared<M>(Arc<Series<M>>);

impl<M> Clone for Shared<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: EncodeMetric + Clone> EncodeMetric for Shared<M> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> std::fmt::Result {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.0.metric_type()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! What a measure is.

use prometheus_client::metrics::MetricType;

/// A measure: what dashboards and alerts name.
#[derive(Debug, PartialEq)]
pub struct Measure {
    /// Its name, with its unit.
    pub name: &'static str,
    /// What its value does.
    pub kind: Kind,
    /// Where its value comes from.
    pub source: Source,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means: a sentence without its full stop.
    pub meaning: &'static str,
}

/// What the value of a measure does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It only grows, from 0 when the host starts.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Times in seconds, counted by these upper bounds.
    Seconds(&'static [f64]),
    /// Sizes, counted by these upper bounds.
    Sizes(&'static [f64]),
}

/// Where the value of a measure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This host counts it while it works.
    Counted,
    /// This host reads it of itself when it is asked.
    Host,
    /// It is read from the database when the host is asked: each host answers the same.
    Database,
}

impl Measure {
    /// The name under which it is registered: a counter's name gets its suffix when it is written.
    pub(super) fn registered_name(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            _ => self.name,
        }
    }
}

impl Kind {
    pub(super) fn metric_type(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge => MetricType::Gauge,
            Self::Seconds(_) | Self::Sizes(_) => MetricType::Histogram,
        }
    }

    /// The upper bounds of its buckets.
    #[must_use]
    pub fn buckets(self) -> &'static [f64] {
        match self {
            Self::Counter | Self::Gauge => &[],
            Self::Seconds(buckets) | Self::Sizes(buckets) => buckets,
        }
    }
}

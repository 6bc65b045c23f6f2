//! Numbers that are counted, by atomic additions.

/// A number that only grows. Clones are handles on one.
pub type Counter = prometheus_client::metrics::counter::Counter;

/// A number that goes up and down. Clones are handles on one.
pub type Gauge = prometheus_client::metrics::gauge::Gauge;

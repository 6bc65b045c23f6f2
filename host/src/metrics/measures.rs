//! The counters of this process, and all measures as a text.

use std::sync::LazyLock;

use prometheus_client::{encoding::prometheus_text, registry::Registry};

#[cfg(test)]
use super::measure::Measure;
use super::{
    access::AccessMeasures, append::AppendMeasures, http::HttpMeasures, modules::ModuleMeasures,
    outbox::OutboxMeasures, private_postgres::PrivatePostgresMeasures, projector::ProjectorMeasures,
    queries::QueryMeasures, reactors::ReactorMeasures, readings::Readings, register::Register,
    telemetry::TelemetryMeasures,
};

/// The media type of [`Measures::text`].
pub const MEDIA_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What is counted while the host works.
#[derive(Debug)]
pub struct Measures {
    /// Of appends.
    pub append: AppendMeasures,
    /// Of the work on builds.
    pub projector: ProjectorMeasures,
    /// Of the work on reactors.
    pub reactors: ReactorMeasures,
    /// Of loading modules.
    pub modules: ModuleMeasures,
    /// Of queries on read models.
    pub queries: QueryMeasures,
    /// Of messages to sinks.
    pub outbox: OutboxMeasures,
    /// Of the HTTP API.
    pub http: HttpMeasures,
    /// Of access.
    pub access: AccessMeasures,
    /// Of sending traces and logs.
    pub telemetry: TelemetryMeasures,
    /// Of a private Postgres.
    pub private_postgres: PrivatePostgresMeasures,
    registry: Registry,
    #[cfg(test)]
    pub(super) registered: Vec<&'static Measure>,
}

/// The measures of this process.
#[must_use]
pub fn of_host() -> &'static Measures {
    static MEASURES: LazyLock<Measures> = LazyLock::new(Measures::new);
    &MEASURES
}

impl Measures {
    fn new() -> Self {
        let mut register = Register::default();
        Self {
            append: AppendMeasures::new(&mut register),
            projector: ProjectorMeasures::new(&mut register),
            reactors: ReactorMeasures::new(&mut register),
            modules: ModuleMeasures::new(&mut register),
            queries: QueryMeasures::new(&mut register),
            outbox: OutboxMeasures::new(&mut register),
            http: HttpMeasures::new(&mut register),
            access: AccessMeasures::new(&mut register),
            telemetry: TelemetryMeasures::new(&mut register),
            private_postgres: PrivatePostgresMeasures::default(),
            #[cfg(test)]
            registered: register.measures,
            registry: register.registry,
        }
    }

    /// All that was counted, and what was read just now, in the text format of Prometheus.
    #[must_use]
    pub fn text(&self, readings: Readings) -> String {
        let mut text = String::with_capacity(64 * 1024);
        for registry in [&self.registry, &readings.into_registry()] {
            // Writing to a text does not fail.
            let _ = prometheus_text::encode(&mut text, registry);
        }
        text
    }

    /// What was read just now, and nothing that was counted of the whole process.
    #[must_use]
    pub fn text_of_readings(readings: Readings) -> String {
        let mut text = String::new();
        let _ = prometheus_text::encode(&mut text, &readings.into_registry());
        text
    }
}

//! What the host measures of itself, for `GET /metrics`.
//!
//! This room knows no other. [`names`] is the one table of all measures; what is counted while the host works has a handle here, a struct for
//! each room that counts, and what is only read when somebody asks comes as [`Readings`]. The other rooms hand over numbers and texts.
//!
//! There is one set of counters for a process, as there is one log of it: what is counted belongs to the process, and not to a value that every
//! function would have to be given. Where work is done for each event, nothing here locks, allocates or looks anything up: handles are
//! taken before, and count with atomic additions.

mod access;
mod append;
mod counter;
mod histogram;
mod http;
mod measure;
mod measures;
mod modules;
pub mod names;
mod outbox;
mod part;
mod private_postgres;
mod process;
mod projector;
mod queries;
mod reactors;
mod readings;
mod register;
mod series;
mod telemetry;

pub use self::{
    access::AccessMeasures,
    append::{AppendMeasures, EventCounter},
    counter::{Counter, Gauge},
    histogram::Histogram,
    http::HttpMeasures,
    measure::{Kind, Measure, Source},
    measures::{MEDIA_TYPE, Measures, of_host},
    modules::ModuleMeasures,
    outbox::OutboxMeasures,
    part::GaugePart,
    private_postgres::PrivatePostgresMeasures,
    process::add_process,
    projector::{HandlerMeasures, ProjectionMeasures, ProjectorMeasures},
    queries::QueryMeasures,
    reactors::{CarriedEffects, OneReactorMeasures, ReactorMeasures},
    readings::Readings,
    series::Series,
    telemetry::TelemetryMeasures,
};

#[cfg(test)]
mod tests;

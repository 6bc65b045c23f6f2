//! The HTTP API. Only this module knows status codes.

mod admit;
mod body;
mod body_memory;
mod columnar;
mod connections;
mod content_encoding;
mod content_type;
mod convert;
mod cors;
mod deployments;
mod dialect;
mod docs;
mod errors;
mod etag;
mod events;
mod extract;
mod forwarded_prefix;
mod gate;
mod health;
mod json;
mod known_host;
mod media_range;
mod metrics;
mod modules;
mod names;
mod no_body;
mod openapi;
mod outbox;
mod page;
mod postgrest;
mod prefer;
mod problem;
mod projections;
mod reactors;
mod request_context;
mod request_id;
mod router;
mod seldom;
mod sending;
mod serve;
mod server_error;
mod settings;
mod sinks;
mod sse;
mod state;
mod stats;
mod streams;
mod traces;
mod upcasters;
mod with_guard;
mod write_timeout;

pub use self::{
    cors::{CorsOrigin, CorsOriginError},
    gate::Gate,
    known_host::{AllowedHost, AllowedHostError},
    openapi::{MAX_DESCRIBED_COLUMNS, MAX_DESCRIBED_TABLES},
    router::router,
    sending::Sending,
    serve::{MAX_REFUSED, serve},
    settings::{ConnectionSettings, HttpSettings, WorkSettings},
    state::{Api, ApiState},
};

#[cfg(test)]
mod tests;

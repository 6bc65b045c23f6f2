//! The HTTP API. Only this module knows status codes.

mod body;
mod content_encoding;
mod content_type;
mod convert;
mod cors;
mod deployments;
mod docs;
mod errors;
mod etag;
mod events;
mod extract;
mod forwarded_prefix;
mod gate;
mod health;
mod json;
mod media_range;
mod modules;
mod names;
mod openapi;
mod page;
mod postgrest;
mod prefer;
mod problem;
mod projections;
mod request_id;
mod router;
mod sending;
mod serve;
mod server_error;
mod settings;
mod sse;
mod stalled;
mod state;
mod streams;
mod upcasters;

pub use self::{
    cors::{CorsOrigin, CorsOriginError},
    gate::Gate,
    openapi::{MAX_DESCRIBED_COLUMNS, MAX_DESCRIBED_TABLES},
    router::router,
    sending::Sending,
    serve::serve,
    settings::HttpSettings,
    state::Api,
};

#[cfg(test)]
mod tests;

//! The HTTP API. Only this module knows status codes.

mod admit;
mod answering;
mod audited;
mod body;
mod body_memory;
mod caller;
mod columnar;
mod connections;
mod content_encoding;
mod content_type;
mod convert;
mod cors;
mod denied;
mod deployments;
mod dialect;
mod docs;
mod errors;
mod etag;
mod events;
mod extract;
mod forwarded_prefix;
mod gate;
mod guard;
mod health;
mod http2_streams;
mod json;
mod known_host;
mod media_range;
mod metrics;
mod modules;
mod named_actor;
mod names;
mod needs;
mod no_body;
mod openapi;
mod outbox;
mod page;
mod peer;
mod personal_data;
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
mod tenants;
mod tls;
mod tokens;
mod traces;
mod until_ended;
mod upcasters;
mod way;
mod with_guard;
mod write_timeout;

pub use self::{
    answering::{CONNECTION_BUFFER_BYTES, MAX_CONCURRENT_STREAMS, WINDOW_BYTES},
    cors::{CorsOrigin, CorsOriginError},
    gate::Gate,
    known_host::{AllowedHost, AllowedHostError},
    openapi::{MAX_DESCRIBED_COLUMNS, MAX_DESCRIBED_TABLES},
    router::router,
    sending::Sending,
    serve::{HANDSHAKE_TIMEOUT, MAX_REFUSED, serve},
    settings::{ConnectionSettings, HttpSettings, WorkSettings},
    state::{Api, ApiState},
    tenants::{MAX_TENANT_NAME, MAX_TENANTS, TenantGate, TenantName, TenantNameError, Tenants},
    tls::{MAX_TLS_FILE_BYTES, Tls, TlsError, TlsFiles},
    way::Way,
};

#[cfg(test)]
mod tests;

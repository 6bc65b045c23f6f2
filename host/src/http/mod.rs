//! The HTTP API. Only this module knows status codes.

mod body;
mod convert;
mod deployments;
mod errors;
mod events;
mod extract;
mod health;
mod modules;
mod names;
mod page;
mod postgrest;
mod prefer;
mod problem;
mod projections;
mod request_id;
mod router;
mod serve;
mod server_error;
mod settings;
mod sse;
mod state;
mod streams;
mod upcasters;

pub use self::{router::router, serve::serve, settings::HttpSettings, state::Api};

#[cfg(test)]
mod tests;

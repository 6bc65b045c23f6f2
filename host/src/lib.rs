//! Gnomon stores events in Postgres, folds them into read models with WebAssembly components, and serves those over HTTP.
//!
//! `docs/ARCHITECTURE.md` in the repository shows how the rooms below depend on each other.

pub mod access;
pub mod api;
pub mod audit;
pub mod builds;
pub mod cli;
pub mod config;
pub mod event_log;
pub mod folding;
pub mod http;
pub mod metrics;
pub mod modules;
pub mod operations;
pub mod outbox;
pub mod past;
pub mod personal_data;
pub mod postgres;
pub mod projector;
pub mod queries;
pub mod reactor_engine;
pub mod reactors;
pub mod read_model;
pub mod runtime;
pub mod server;
pub mod subscriptions;
pub mod telemetry;

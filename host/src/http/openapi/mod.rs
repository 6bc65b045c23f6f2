//! `GET /openapi.json`: the API describes itself.
//!
//! Each folder of routes says in its `describe.rs` what its routes take and answer; the schemas are those of the types of
//! [`api`](crate::api). A test compares the description with the router, and each test of the HTTP API checks that the errors that it
//! gets are described. The tables of the active builds are described beside the routes, so the document changes with swaps.

mod columns;
mod document;
mod get;
mod limits;
mod operation;
mod ordered;
mod path_params;
mod problems;
mod reference;
mod routes;
mod tables;

pub use self::limits::{MAX_DESCRIBED_COLUMNS, MAX_DESCRIBED_TABLES};
pub(super) use self::{
    get::{DocumentCache, get},
    operation::Operation,
    routes::{routes, routes_of_tenant},
};

//! Read models in the dialect of PostgREST: the half of it that is HTTP.
//!
//! This half checks headers, reads `Accept` and `Prefer`, and gives pages their `Content-Range` and errors their status and the
//! fields of PostgREST's error body. [`read_model::query`](crate::read_model::query) reads the query string.

mod accept;
mod describe;
mod error;
mod fields;
mod headers;
mod list;
mod next_page;
mod page;
mod position;
mod query;
mod refusal;
mod status;

pub(super) use self::{
    describe::{describe, table},
    list::{get, list},
    query::query,
};

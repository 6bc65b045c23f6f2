//! Reading tables as PostgREST lets them be read, so that its clients work unchanged: the half of that dialect which is HTTP.
//!
//! Headers are checked, `Accept` and `Prefer` are answered, pages get their `Content-Range`, and refusals their status and
//! the fields of PostgREST's error body. What the query string means is the business of
//! [`read_model::query`](crate::read_model::query).

mod accept;
mod error;
mod fields;
mod headers;
mod page;
mod query;
mod status;

pub(super) use self::{error::PostgrestError, query::query};

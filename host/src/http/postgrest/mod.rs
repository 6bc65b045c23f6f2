//! Read models in the dialect of PostgREST: the half of it that is HTTP.
//!
//! This half reads the headers of a request ([`asked`]), and gives answers theirs ([`respond`]) and errors their status and the fields of PostgREST's
//! error body. [`read_model::query`](crate::read_model::query) reads the query string.

mod accept;
mod as_of;
mod asked;
mod columns;
mod describe;
mod error;
mod list;
mod live;
mod location;
mod media;
mod next_page;
mod nowhere;
mod options;
mod page;
mod past;
mod past_question;
mod position;
mod post_query;
mod profile;
mod query;
mod range;
mod refusal;
mod replayed;
mod respond;
mod session;
mod status;

pub(super) use self::{
    describe::{EVENTS, PARTIAL, describe, rows_answer, table},
    list::{get, list},
    nowhere::{unknown_path, unsupported_method},
    options::{list_options, table_options},
    post_query::post_query,
    query::query,
};

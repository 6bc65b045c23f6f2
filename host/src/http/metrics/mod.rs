//! `GET /metrics`

mod builds;
mod describe;
mod get;
mod scrapes;
mod seldom;

pub(super) use self::{describe::describe, get::get, scrapes::Scrapes};

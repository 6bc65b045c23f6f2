//! `GET /metrics`

mod builds;
mod describe;
mod get;
mod reactors;
mod scrapes;

pub(super) use self::{describe::describe, get::get, scrapes::Scrapes};

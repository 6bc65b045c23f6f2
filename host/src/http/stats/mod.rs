//! `/v1/stats`

mod describe;
mod get;
mod measurements;

pub(super) use self::{describe::describe, get::get, measurements::Measurements};

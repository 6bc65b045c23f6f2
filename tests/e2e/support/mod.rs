//! The real program, as its own process on a real Postgres.

mod flights;
mod host;
mod load;
mod postgres;

pub(crate) use test_support::{client, until};

pub(crate) use crate::program::gnomon;

pub(crate) use self::{
    flights::{FLIGHT_TABLES, deploy_flights, deploy_upcaster, fingerprint_of, week, week_ndjson},
    host::Host,
    load::Load,
    postgres::Postgres,
};

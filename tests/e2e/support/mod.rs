//! The real program, as its own process on a real Postgres.

mod clock;
mod disk;
mod flights;
mod host;
mod load;
mod postgres;
mod proxy;
mod wire;

pub(crate) use test_support::{client, until};

pub(crate) use crate::program::gnomon;

pub(crate) use self::{
    clock::{Clock, Clocks},
    flights::{FLIGHT_TABLES, deploy_flights, deploy_upcaster, fingerprint_of, week, week_ndjson},
    host::{Host, Launch},
    load::Load,
    postgres::Postgres,
    proxy::{Doubt, Line, Proxy, Whose},
};

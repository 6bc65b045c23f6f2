//! The program as a whole: real processes, a real Postgres, real components, HTTP in between.

mod failures;
mod flights;
mod kill;
mod leases;
mod operate;
mod several_hosts;
mod support;
mod upcasters;
mod verify;

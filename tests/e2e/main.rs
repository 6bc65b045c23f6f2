//! The program as a whole: real processes, a real Postgres, real components, HTTP in between.

mod cli;
mod demo;
mod failures;
mod faults;
mod flights;
mod kill;
mod leases;
mod operate;
mod several_hosts;
mod support;

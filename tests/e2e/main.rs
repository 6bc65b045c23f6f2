//! The program as a whole: real processes, a real Postgres, real components, HTTP in between.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that finds what it did not expect fails")]
#![allow(clippy::print_stdout, reason = "seeds are printed with the output of a test that fails")]

mod access;
mod boundaries;
mod cli;
mod collector;
mod commits;
mod demo;
mod failures;
mod faults;
mod flights;
mod hostile;
mod kill;
mod leases;
mod logs;
mod numbers;
mod open_files;
mod operate;
mod overload;
mod past;
mod personal_data;
#[path = "../program/mod.rs"]
mod program;
mod reactor_traces;
mod reactors;
mod roles;
mod rotations;
mod settlement;
mod several_hosts;
mod shapes;
mod stop;
mod support;
mod tenants;
mod traces;
mod upcasters;
mod verify;

//! The engine on a real Postgres.

mod commit;
mod corrupt_build;
mod fold;
mod locks;
mod missing_tables;
mod panics;

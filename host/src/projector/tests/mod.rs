//! The engine on a real Postgres.

mod commit;
mod corrupt_build;
mod find;
mod fold;
mod locks;
mod memory;
mod missing_tables;
mod own_threads;
mod panics;
mod passing_over;
mod shared_reads;
mod side_by_side;
mod tags;

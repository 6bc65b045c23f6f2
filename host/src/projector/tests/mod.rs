//! The engine on a real Postgres.

mod commit;
mod fold;

//! Modules made to misbehave, on the real runtime, and some of them through the whole host.
//!
//! The modules are in `tests/guests/examples`, and each breaks one rule. The tests compare whole messages, since operators depend
//! on them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod compiler;
mod fixtures;
mod hand_made;
mod handle;
#[path = "../host/mod.rs"]
mod host;
mod log;
mod reactor;
mod read;
mod rows;
mod run;
mod surroundings;
mod tags;
mod time;
mod upload;
mod whole_path;

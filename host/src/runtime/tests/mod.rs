//! The runtime with a world that exists only in tests.

mod echo;
mod third_world;

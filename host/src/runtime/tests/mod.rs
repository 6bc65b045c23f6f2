//! The runtime with a world that no host knows.

mod echo;
mod third_world;

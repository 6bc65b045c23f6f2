//! Modules of a world that is there for tests of the host only. They stand in `examples`, the world in `wit`.

//! Modules of a world that exists only for tests of the host. They are in `examples`, the world is in `wit`.

//! A host under a part of the paths of a server.

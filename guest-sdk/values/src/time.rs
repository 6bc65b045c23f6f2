//! From when to when instants and days reach.

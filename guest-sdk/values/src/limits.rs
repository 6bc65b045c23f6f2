//! How large keys, indexed values and rows may be.

//! Between the wire and the rooms below: what a request means there, and what is found there as an answer.
//!
//! Where nothing can go wrong this is a `From`; where a request can be wrong, a function that names the field.

mod builds;
mod comparison;
mod descriptor;
mod events;
mod modules;
mod upcasters;

pub(super) use self::{
    builds::{build_id, on_failure},
    events::{event, import_line, new_events, stream_name, upcasted},
};

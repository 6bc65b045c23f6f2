//! Conversions between the wire types of `api` and the types of the modules below.
//!
//! A conversion that cannot fail is a `From`; one of a request that can be wrong is a function whose problem names the field.

mod builds;
mod comparison;
mod descriptor;
mod events;
mod explanation;
mod modules;
mod queries;
mod read_models;
mod upcasters;

pub(super) use self::{
    builds::{on_failure, retired},
    events::{event, import_line, invalid_field, new_events, stream_name, stream_of_tags, upcasted},
    explanation::explanation,
    queries::{append_condition, event_query},
    read_models::read_model,
};

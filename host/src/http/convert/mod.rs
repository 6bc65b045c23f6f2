//! Conversions between the wire types of `api` and the types of the modules below.
//!
//! A conversion that cannot fail is a `From`; one of a request that can be wrong is a function whose problem names the field.

mod builds;
mod cloud_events;
mod comparison;
mod descriptor;
mod events;
mod explanation;
mod modules;
mod outbox;
mod past;
mod queries;
mod reactors;
mod read_models;
mod rehearsal;
mod stats;
mod upcasters;

pub(super) use self::{
    builds::{on_failure, retired},
    cloud_events::{AttributesIn, cloud_event},
    events::{event, import_line, invalid_field, new_event, new_events, stream_name, stream_of_tags, upcasted},
    explanation::explanation,
    outbox::{message, sink_settings},
    past::{stream_history, stream_state, stream_verification},
    queries::{append_condition, event_query},
    read_models::read_model,
    rehearsal::rehearsal,
    stats::{measured, stats},
};

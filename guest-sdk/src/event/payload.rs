//! The data of an event before it is deserialised.

use serde::de::DeserializeOwned;

use super::raw::RawEvent;
use crate::{Failure, reading};

/// The data of an event before it is deserialised, for [`Events::read`](crate::Events::read).
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    event_type: &'a str,
    schema_version: u32,
    data: &'a str,
}

impl<'a> Payload<'a> {
    pub(crate) fn new(event: &'a RawEvent) -> Self {
        Self { event_type: &event.event_type, schema_version: event.schema_version, data: &event.data }
    }

    /// The event's type in the log.
    pub fn event_type(&self) -> &'a str {
        self.event_type
    }

    /// Returns the payload if the event has this schema version.
    ///
    /// # Errors
    /// It has another one.
    pub fn at_schema_version(self, read: u32) -> Result<Self, Failure> {
        if self.schema_version == read {
            return Ok(self);
        }
        let (found, event_type) = (self.schema_version, self.event_type);
        let way_out = match found < read {
            true => format!("activate an upcaster that rewrites `{event_type}` from version {found} to {read}"),
            // Steps lead to later versions only.
            false => format!("deploy a version of this module that reads version {found} of `{event_type}`"),
        };
        Err(Failure::new(format!(
            "the event has schema version {found}, but this module reads version {read}; {way_out}"
        )))
    }

    /// Deserialises the data.
    ///
    /// # Errors
    /// The data does not fit `T`.
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, Failure> {
        reading::part_of_event("data", self.data)
    }

    /// Refuses an event of a type that the projection does not read.
    ///
    /// # Errors
    /// Always.
    pub fn refuse<T>(self) -> Result<T, Failure> {
        Err(Failure::new(format!("this module does not read events of type `{}`", self.event_type)))
    }
}

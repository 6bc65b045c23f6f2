//! The results of a step.

use std::marker::PhantomData;

use gnomon_values::names;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The results of a step: one event with data `N`, of the same type at the step's `TO`; or none, several, or events of other
/// types.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::Serialize;
/// # #[derive(Serialize)] struct Moved { amount: i64 }
/// # #[derive(Serialize)] struct FeePaid { cents: i64 }
/// # fn upcasts(moved: Moved, left: Moved, right: Moved, parts: Vec<Moved>, fee: FeePaid) {
/// // One, the usual case.
/// let one: Upcasted<Moved> = moved.into();
/// // None: the event has no meaning any more.
/// let none: Upcasted<Moved> = Upcasted::none();
/// // Several, in this order, the last of them of another type.
/// let three = Upcasted::one(left).and(right).and_other("FeePaid", 1, &fee);
/// // As many as there are.
/// let many: Upcasted<Moved> = parts.into_iter().collect();
/// # }
/// ```
///
/// The types of all are among the [`PRODUCES`](crate::Upcast::PRODUCES) of the step.
///
/// Each event keeps the metadata of the original, unless [`with_metadata`](Self::with_metadata) or
/// [`without_metadata`](Self::without_metadata) follows it, and its tags, unless [`with_tags`](Self::with_tags) or
/// [`without_tags`](Self::without_tags) does. A projection with [`TAGS`](crate::Projection::TAGS) gets events by the tags that they
/// have here.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::Serialize;
/// # #[derive(Serialize)] struct Enrolled {}
/// # fn upcast(event: Event<()>, enrolled: Enrolled) -> Upcasted<Enrolled> {
/// // One more tag.
/// Upcasted::one(enrolled).with_tags(event.tags().iter().map(String::as_str).chain(["course:c1"]))
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Upcasted<N> {
    events: Vec<NewEvent>,
    data: PhantomData<fn(N)>,
}

#[derive(Debug)]
struct NewEvent {
    /// Type and schema version; `None` for the step's own type at its `TO`.
    shape: Option<(String, u32)>,
    data: Result<String, Failure>,
    metadata: NewMetadata,
    /// `None` for those of the original.
    tags: Option<Vec<String>>,
}

#[derive(Debug)]
enum NewMetadata {
    /// The metadata of the original.
    Original,
    None,
    Other(Result<String, Failure>),
}

impl<N> Upcasted<N> {
    /// No event.
    pub fn none() -> Self {
        Self { events: Vec::new(), data: PhantomData }
    }

    /// An event of another type or at another version. One of the original's type must be at the step's `TO`.
    pub fn other(event_type: impl Into<String>, schema_version: u32, data: &impl Serialize) -> Self {
        Self::none().and_other(event_type, schema_version, data)
    }

    /// Adds an event of another type or at another version.
    pub fn and_other(self, event_type: impl Into<String>, schema_version: u32, data: &impl Serialize) -> Self {
        self.push(Some((event_type.into(), schema_version)), data)
    }

    /// Replaces the metadata of the last event.
    pub fn with_metadata(self, metadata: &impl Serialize) -> Self {
        self.set_metadata(NewMetadata::Other(as_json(metadata, "metadata")))
    }

    /// Removes the metadata of the last event.
    pub fn without_metadata(self) -> Self {
        self.set_metadata(NewMetadata::None)
    }

    /// Replaces the tags of the last event. One that is named twice counts once.
    pub fn with_tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut distinct: Vec<String> = Vec::new();
        for tag in tags.into_iter().map(Into::into) {
            if !distinct.contains(&tag) {
                distinct.push(tag);
            }
        }
        self.set_tags(distinct)
    }

    /// Removes the tags of the last event.
    pub fn without_tags(self) -> Self {
        self.set_tags(Vec::new())
    }

    fn push(mut self, shape: Option<(String, u32)>, data: &impl Serialize) -> Self {
        let data = as_json(data, "data");
        self.events.push(NewEvent { shape, data, metadata: NewMetadata::Original, tags: None });
        self
    }

    fn set_metadata(mut self, metadata: NewMetadata) -> Self {
        if let Some(last) = self.events.last_mut() {
            last.metadata = metadata;
        }
        self
    }

    fn set_tags(mut self, tags: Vec<String>) -> Self {
        if let Some(last) = self.events.last_mut() {
            last.tags = Some(tags);
        }
        self
    }

    /// The events in the form of the contract.
    pub(super) fn finish(self, event_type: &str, to: u32, original: &Original) -> Result<Vec<RawUpcasted>, Failure> {
        let events = self.events.into_iter().map(|made| {
            let (event_type, schema_version) = made.shape.unwrap_or_else(|| (event_type.to_owned(), to));
            let metadata = match made.metadata {
                NewMetadata::Original => original.metadata.clone(),
                NewMetadata::None => None,
                NewMetadata::Other(metadata) => Some(metadata?),
            };
            let tags = match made.tags {
                Some(tags) => checked(tags)?,
                None => original.tags.clone(),
            };
            Ok(RawUpcasted { event_type, schema_version, data: made.data?, metadata, tags })
        });
        events.collect()
    }
}

impl<N: Serialize> Upcasted<N> {
    /// One event.
    pub fn one(data: N) -> Self {
        Self::none().and(data)
    }

    /// Adds an event.
    pub fn and(self, data: N) -> Self {
        self.push(None, &data)
    }
}

impl<N: Serialize> From<N> for Upcasted<N> {
    fn from(data: N) -> Self {
        Self::one(data)
    }
}

impl<N: Serialize> FromIterator<N> for Upcasted<N> {
    fn from_iter<I: IntoIterator<Item = N>>(events: I) -> Self {
        events.into_iter().fold(Self::none(), Self::and)
    }
}

fn as_json(value: &impl Serialize, what: &str) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::new(format!("the new {what} cannot be written as JSON: {error}")))
}

fn checked(tags: Vec<String>) -> Result<Vec<String>, Failure> {
    match tags.iter().find_map(|tag| names::check_tag(tag).err()) {
        Some(error) => Err(Failure::new(format!("the new tags are invalid: {error}"))),
        None => Ok(tags),
    }
}

/// A result of a step in the form of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RawUpcasted {
    pub(crate) event_type: String,
    pub(crate) schema_version: u32,
    pub(crate) data: String,
    pub(crate) metadata: Option<String>,
    pub(crate) tags: Vec<String>,
}

/// What events that come out keep of the one that went in.
#[derive(Debug)]
pub(super) struct Original {
    pub(super) metadata: Option<String>,
    pub(super) tags: Vec<String>,
}

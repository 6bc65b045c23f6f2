//! What becomes of an event.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::Failure;

/// What a step makes of an event: one event whose data is `N`, of the same type at the step's `TO`; or none, several, or
/// events of other types.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::Serialize;
/// # #[derive(Serialize)] struct Moved { amount: i64 }
/// # #[derive(Serialize)] struct FeePaid { cents: i64 }
/// # fn upcasts(moved: Moved, left: Moved, right: Moved, parts: Vec<Moved>, fee: FeePaid) {
/// // One, the usual case.
/// let one: Upcasted<Moved> = moved.into();
/// // None: the event means nothing any more.
/// let none: Upcasted<Moved> = Upcasted::none();
/// // Several, in this order, the last of them of another type.
/// let three = Upcasted::one(left).and(right).and_other("FeePaid", 1, &fee);
/// // As many as there are.
/// let many: Upcasted<Moved> = parts.into_iter().collect();
/// # }
/// ```
///
/// Each event keeps the metadata of the original, unless [`with_metadata`](Self::with_metadata) or
/// [`without_metadata`](Self::without_metadata) follows it.
#[derive(Debug)]
#[must_use]
pub struct Upcasted<N> {
    events: Vec<Made>,
    data: PhantomData<fn(N)>,
}

#[derive(Debug)]
struct Made {
    /// None for the step's own type and version.
    shape: Option<(String, u32)>,
    data: Result<String, Failure>,
    metadata: Metadata,
}

#[derive(Debug)]
enum Metadata {
    Kept,
    Gone,
    New(Result<String, Failure>),
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

    /// And behind it an event of another type or at another version.
    pub fn and_other(self, event_type: impl Into<String>, schema_version: u32, data: &impl Serialize) -> Self {
        self.push(Some((event_type.into(), schema_version)), data)
    }

    /// Gives the last event other metadata.
    pub fn with_metadata(self, metadata: &impl Serialize) -> Self {
        self.set_metadata(Metadata::New(as_json(metadata, "metadata")))
    }

    /// Takes the metadata away from the last event.
    pub fn without_metadata(self) -> Self {
        self.set_metadata(Metadata::Gone)
    }

    fn push(mut self, shape: Option<(String, u32)>, data: &impl Serialize) -> Self {
        self.events.push(Made { shape, data: as_json(data, "data"), metadata: Metadata::Kept });
        self
    }

    fn set_metadata(mut self, metadata: Metadata) -> Self {
        if let Some(last) = self.events.last_mut() {
            last.metadata = metadata;
        }
        self
    }

    /// The events as the contract has them.
    pub(super) fn finish(
        self,
        event_type: &str,
        to: u32,
        original: Option<String>,
    ) -> Result<Vec<RawUpcasted>, Failure> {
        let events = self.events.into_iter().map(|made| {
            let (event_type, schema_version) = made.shape.unwrap_or_else(|| (event_type.to_owned(), to));
            let metadata = match made.metadata {
                Metadata::Kept => original.clone(),
                Metadata::Gone => None,
                Metadata::New(metadata) => Some(metadata?),
            };
            Ok(RawUpcasted { event_type, schema_version, data: made.data?, metadata })
        });
        events.collect()
    }
}

impl<N: Serialize> Upcasted<N> {
    /// One event.
    pub fn one(data: N) -> Self {
        Self::none().and(data)
    }

    /// And behind it another.
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
    serde_json::to_string(value).map_err(|error| Failure::new(format!("the new {what} cannot be written: {error}")))
}

/// What an event became, as the contract has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RawUpcasted {
    pub(crate) event_type: String,
    pub(crate) schema_version: u32,
    pub(crate) data: String,
    pub(crate) metadata: Option<String>,
}

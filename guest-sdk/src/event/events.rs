//! The events that a projection reads.

use super::payload::Payload;
use crate::Failure;

/// The events that a projection reads: an enum with a variant for each type.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::Deserialize;
/// #[derive(Events)]
/// enum AccountEvent {
///     /// The name in quotes is the type's name in the log. It is never derived from the code, so renaming code is safe.
///     #[event("AccountOpened")]
///     Opened(AccountOpened),
///     /// The schema version that this projection reads. Upcasters must rewrite older events to it; an event with
///     /// another version is a failure. Without it, the projection reads events of all versions.
///     #[event("MoneyDeposited", schema_version = 2)]
///     Deposited(MoneyDeposited),
///     /// A variant without a payload: the event's data is not read.
///     #[event("AccountClosed")]
///     Closed,
/// }
///
/// #[derive(Deserialize)]
/// struct AccountOpened { owner: String }
///
/// #[derive(Deserialize)]
/// struct MoneyDeposited { amount: i64 }
/// ```
///
/// Payloads are any types that implement serde's `Deserialize`. They need only the fields that the projection uses: other fields
/// of the data are skipped, which is also faster.
///
/// A variant with `#[event(other)]` reads all types that no other variant names. With it, a projection receives every event of its
/// categories; without it, only those that the variants name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of events",
    note = "derive it: `#[derive(Events)]` on an enum with a variant for each type of event"
)]
pub trait Events: Sized + 'static {
    /// Whether events of every type are read, or only those of [`Self::WANTED`].
    const ALL_TYPES: bool;

    /// The types that have a variant.
    const WANTED: &'static [WantedType];

    /// Reads an event's data.
    ///
    /// # Errors
    /// The data does not fit.
    fn read(payload: Payload<'_>) -> Result<Self, Failure>;
}

/// An event type that a projection reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedType {
    /// The type's name in the log.
    pub event_type: &'static str,
    /// The schema version that is read; any if there is none.
    pub schema_version: Option<u32>,
}

//! Which events a projection reads.

use super::payload::Payload;
use crate::Failure;

/// The events that a projection reads: an enum with a variant for each type.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::Deserialize;
/// #[derive(Events)]
/// enum AccountEvent {
///     /// The name in quotes is the type's name in the log. It is never taken from the code, so renaming code is safe.
///     #[event("AccountOpened")]
///     Opened(AccountOpened),
///     /// The schema version that this projection reads. An upcaster has to bring older events to it; one that comes in
///     /// another version is a failure. Without it events of all versions are taken.
///     #[event("MoneyDeposited", schema_version = 2)]
///     Deposited(MoneyDeposited),
///     /// A variant without a payload: the event's data is not looked at.
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
/// Payloads are any types that implement serde's `Deserialize`. They need only the fields that the projection looks at:
/// other fields of the data are passed over, which is also the fastest.
///
/// A variant with `#[event(other)]` stands for all types that no other variant names. With it, a projection is given every
/// event of its categories; without it, only those that the variants name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which events it reads",
    note = "derive it: `#[derive(Events)]` on an enum with a variant for each type of event"
)]
pub trait Events: Sized + 'static {
    /// Whether events of every type are wanted, or those of [`Self::WANTED`] only.
    const ALL_TYPES: bool;

    /// The types that have a variant.
    const WANTED: &'static [WantedType];

    /// Reads an event's data.
    ///
    /// # Errors
    /// Says what does not fit.
    fn read(payload: Payload<'_>) -> Result<Self, Failure>;
}

/// A type of event that a projection wants to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedType {
    /// The type's name in the log.
    pub event_type: &'static str,
    /// The schema version that is read; none if any is.
    pub schema_version: Option<u32>,
}

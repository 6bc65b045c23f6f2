//! What the author of an upcaster implements.

use serde::{Serialize, de::DeserializeOwned};

use super::outcome::Upcasted;
use crate::{Event, Failure};

/// One step of an upcaster: rewrites events of one type from one schema version to a later one, as they are read. The log
/// keeps the originals.
///
/// ```
/// use gnomon_sdk::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// /// Amounts were written as texts once: `"12.50"`.
/// #[derive(Deserialize)]
/// struct DepositInEuros { amount: Decimal }
///
/// /// Today they are whole cents.
/// #[derive(Serialize)]
/// struct DepositInCents { amount: i64, currency: &'static str }
///
/// struct EurosToCents;
///
/// impl Upcast for EurosToCents {
///     const EVENT_TYPE: &'static str = "MoneyDeposited";
///     const FROM: u32 = 1;
///     const TO: u32 = 2;
///
///     type Old = DepositInEuros;
///     type New = DepositInCents;
///
///     fn upcast(event: Event<DepositInEuros>) -> Result<Upcasted<DepositInCents>, Failure> {
///         let cents = event.data.amount * Decimal::ONE_HUNDRED;
///         Ok(DepositInCents { amount: cents.try_into()?, currency: "EUR" }.into())
///     }
/// }
///
/// gnomon_sdk::export_upcaster!(EurosToCents);
/// ```
///
/// A step is a function of its event: there is no `self`, no clock but `event.time`, and memory from one event to the next
/// must not matter.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a step of an upcaster", note = "implement `Upcast` for it")]
pub trait Upcast: 'static {
    /// The type of the events that it rewrites, as the log has it. It is never taken from the code.
    const EVENT_TYPE: &'static str;

    /// The schema version that it rewrites.
    const FROM: u32;

    /// The schema version that comes out, later than [`Self::FROM`]. Events at this version go on to the next step, if there
    /// is one.
    const TO: u32;

    /// The old data. As for a projection, fields that are not looked at may be left out; those are lost then.
    type Old: DeserializeOwned;

    /// The data at [`Self::TO`].
    type New: Serialize;

    /// Rewrites an event: to one, as `Ok(new.into())`, or to none or several, as [`Upcasted`] tells. Stream, version, id,
    /// position and times stay those of the original, and so does its metadata unless other is given.
    ///
    /// # Errors
    /// The event cannot be rewritten. Whoever reads it stops there or sets it aside, as an operator decides.
    fn upcast(event: Event<Self::Old>) -> Result<Upcasted<Self::New>, Failure>;
}

//! The trait that the author of an upcaster implements.

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
/// /// Amounts were texts in version 1: `"12.50"`.
/// #[derive(Deserialize)]
/// struct DepositInEuros { amount: Decimal }
///
/// /// They are whole cents in version 2.
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
///         if !cents.is_integer() {
///             fail!("{} euros are not whole cents", event.data.amount);
///         }
///         Ok(DepositInCents { amount: cents.try_into()?, currency: "EUR" }.into())
///     }
/// }
///
/// gnomon_sdk::export_upcaster!(EurosToCents);
/// ```
///
/// A step is a function of its event: there is no `self`, no clock but `event.time`, and the result must not depend on earlier
/// events, on statics, or on the order in which a `HashMap` is iterated.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a step of an upcaster", note = "implement `Upcast` for it")]
pub trait Upcast: 'static {
    /// The type in the log of the events that it rewrites. It is never derived from the code.
    const EVENT_TYPE: &'static str;

    /// The schema version that it rewrites.
    const FROM: u32;

    /// The schema version that it produces, later than [`Self::FROM`]. The next step continues there, if there is one.
    const TO: u32;

    /// The types of the events that come out, all of them; [`Self::EVENT_TYPE`] alone if the step says nothing. An event of another type
    /// is a failure. Activating the upcaster begins a new build of each projection that reads the type that goes in or one that comes
    /// out, also through further upcasters. A step that removes its events names none: `&[]`.
    const PRODUCES: &'static [&'static str] = &[Self::EVENT_TYPE];

    /// The old data. Fields that are left out here are lost.
    type Old: DeserializeOwned;

    /// The data at [`Self::TO`].
    type New: Serialize;

    /// Rewrites an event to one, with `Ok(new.into())`, or to none or several; see [`Upcasted`]. Stream, version, id, position and
    /// times stay those of the original, and so do metadata and tags unless they are replaced.
    ///
    /// # Errors
    /// The event cannot be rewritten. Projections that read it halt there or set it aside, as their policy says.
    fn upcast(event: Event<Self::Old>) -> Result<Upcasted<Self::New>, Failure>;
}

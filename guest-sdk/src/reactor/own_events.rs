//! The events of a reactor's own, as it reads them.

use serde::Deserialize;
use uuid::Uuid;

use crate::Timestamp;

/// The time of a [schedule](super::Effects::schedule) has come: the data of an event of type `ScheduleDue`, whose stream is
/// `gnomon:<reactor>-<name>`.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::Deserialize;
/// # #[derive(Deserialize)] struct OrderPlaced { total: i64 }
/// #[derive(Events)]
/// enum OrderEvent {
///     #[event("OrderPlaced")]
///     Placed(OrderPlaced),
///     /// What was given to `schedule` as data is read as `D` of `ScheduleDue<D>`.
///     #[event("ScheduleDue")]
///     Due(ScheduleDue<Reminder>),
///     #[event("CallSucceeded")]
///     Paid(CallSucceeded),
///     #[event("CallFailed")]
///     NotPaid(CallFailed),
/// }
///
/// #[derive(Deserialize)]
/// struct Reminder { number: u32 }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ScheduleDue<D = serde_json::Value> {
    /// That of the schedule.
    pub name: String,
    /// What the schedule carries.
    pub data: D,
    /// The time of the schedule. The event's own time is when the host got to it.
    pub scheduled_for: Timestamp,
}

/// A [call](super::Effects::call) was answered: the data of an event of type `CallSucceeded`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CallSucceeded<D = serde_json::Value> {
    /// That of the call.
    pub name: String,
    /// The id of the message, which the sink got as the idempotency key.
    pub message: Uuid,
    /// The status of the answer, such as 200.
    pub status: u16,
    /// The answer; null if it has no body.
    pub data: D,
}

/// A [call](super::Effects::call) was refused, or not answered in all tries: the data of an event of type `CallFailed`.
///
/// The sink may have done what was asked of it all the same: its answer may be what was lost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CallFailed {
    /// That of the call.
    pub name: String,
    /// The id of the message, which the sink got as the idempotency key.
    pub message: Uuid,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong, in words.
    pub reason: String,
    /// How often it was tried.
    pub tries: u32,
}

/// Events were not appended, since their stream has another version than was
/// [expected](super::Effects::append_expecting): the data of an event of type `AppendRefused`, whose stream is
/// `gnomon:<reactor>-<stream>`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AppendRefused {
    /// The stream.
    pub stream: String,
    /// Why, in words.
    pub reason: String,
    /// The version that was expected; 0 if the stream was to have no events.
    pub expected: u64,
    /// The version of the stream, if it is known.
    pub current: Option<u64>,
    /// The position of the event that was answered with the append.
    pub position: u64,
    /// The number of the append among the effects of that event.
    pub number: u32,
}

#[cfg(test)]
mod tests {
    use gnomon_values::{Instant, own_events};
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::{json, value::to_raw_value};

    use super::*;

    /// What the SDK reads of an event that a host writes.
    fn read<D: DeserializeOwned>(written: &impl Serialize) -> D {
        crate::reading::from_str(&serde_json::to_string(written).unwrap()).unwrap()
    }

    #[test]
    fn what_a_host_writes_is_read() {
        let data = to_raw_value(&json!({ "digits": 1 })).unwrap();
        let message = Uuid::from_u128(7);
        let id = message.to_string();
        let due = own_events::ScheduleDue { name: "a", data: &data, scheduled_for: Instant(1_000_001) };
        assert_eq!(
            read::<ScheduleDue>(&due),
            ScheduleDue {
                name: "a".to_owned(),
                data: json!({ "digits": 1 }),
                scheduled_for: Timestamp::from_timestamp_micros(1_000_001).unwrap()
            }
        );
        let succeeded = own_events::CallSucceeded { name: "a", message: &id, status: 204, data: None };
        let expected = CallSucceeded { name: "a".to_owned(), message, status: 204, data: serde_json::Value::Null };
        assert_eq!(read::<CallSucceeded>(&succeeded), expected);
        let failed = own_events::CallFailed { name: "a", message: &id, status: None, reason: "no answer", tries: 3 };
        let expected =
            CallFailed { name: "a".to_owned(), message, status: None, reason: "no answer".to_owned(), tries: 3 };
        assert_eq!(read::<CallFailed>(&failed), expected);
        let refused = own_events::AppendRefused {
            stream: "a-1",
            reason: "it has version 4",
            expected: 3,
            current: Some(4),
            position: 9,
            number: 2,
        };
        let expected = AppendRefused {
            stream: "a-1".to_owned(),
            reason: "it has version 4".to_owned(),
            expected: 3,
            current: Some(4),
            position: 9,
            number: 2,
        };
        assert_eq!(read::<AppendRefused>(&refused), expected);
    }
}

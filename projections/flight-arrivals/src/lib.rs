//! Rewrites arrivals of flights to the schema version that projections read.
//!
//! The current schema version of `FlightArrived` is 2. Events of version 1 have one of two shapes:
//!
//! - the first has the scheduled and the actual time of arrival, and readers computed the difference;
//! - the second is that of version 2, written before it got a version of its own.
//!
//! It reads exactly what was written, and fails at anything else: a wrong row is worse than an event that an operator looks at.

use std::ops::RangeInclusive;

use gnomon_sdk::{chrono::TimeDelta, prelude::*};
use serde::{Deserialize, Serialize};

/// The data of schema version 1.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an arrival has `scheduled_arrival` and `actual_arrival`, or `arr_delay`")]
pub enum ArrivalV1 {
    /// The first shape.
    Times(ArrivalTimes),
    /// The shape of version 2.
    Delay(Arrival),
}

/// An arrival in the first shape. A field that it does not have would be lost, so it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalTimes {
    day: Date,
    carrier: String,
    tailnum: Option<String>,
    /// Both airports: `JFK-BOS`.
    route: String,
    scheduled_arrival: Timestamp,
    actual_arrival: Timestamp,
    /// Hours and minutes: `1:07`.
    air_time: String,
    miles: i64,
}

/// An arrival in the shape of version 2.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    day: Date,
    carrier: String,
    tailnum: Option<String>,
    origin: String,
    dest: String,
    /// Minutes by which it was late.
    arr_delay: i64,
    /// In minutes.
    air_time: i64,
    /// In miles.
    distance: i64,
}

/// The step from times to a delay.
pub struct TimesToDelay;

impl Upcast for TimesToDelay {
    const EVENT_TYPE: &'static str = "FlightArrived";
    const FROM: u32 = 1;
    const TO: u32 = 2;

    type Old = ArrivalV1;
    type New = Arrival;

    fn upcast(event: Event<ArrivalV1>) -> Result<Upcasted<Arrival>, Failure> {
        match event.data {
            ArrivalV1::Times(times) => Ok(times.with_delay()?.into()),
            ArrivalV1::Delay(arrival) => Ok(arrival.into()),
        }
    }
}

impl ArrivalTimes {
    fn with_delay(self) -> Result<Arrival, Failure> {
        let (origin, dest) = airports(&self.route)?;
        let late = self.actual_arrival - self.scheduled_arrival;
        if late != TimeDelta::minutes(late.num_minutes()) {
            fail!("its delay of {} seconds is not whole minutes", late.as_seconds_f64());
        }
        Ok(Arrival {
            day: self.day,
            carrier: self.carrier,
            tailnum: self.tailnum,
            origin: origin.to_owned(),
            dest: dest.to_owned(),
            arr_delay: late.num_minutes(),
            air_time: minutes(&self.air_time)?,
            distance: self.miles,
        })
    }
}

/// `JFK-BOS` is a flight from one airport to the other, by their IATA codes.
fn airports(route: &str) -> Result<(&str, &str), Failure> {
    let is_airport = |code: &str| code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase());
    match route.split_once('-') {
        Some((origin, dest)) if is_airport(origin) && is_airport(dest) => Ok((origin, dest)),
        _ => fail!("its route `{route}` is not two airports"),
    }
}

/// `1:07` are 67 minutes.
fn minutes(text: &str) -> Result<i64, Failure> {
    if let Some((hours, minutes)) = text.split_once(':')
        && let Some(hours) = number(hours, 1..=2)
        && let Some(minutes) = number(minutes, 2..=2)
        && minutes < 60
    {
        return Ok(hours * 60 + minutes);
    }
    fail!("its air time `{text}` is not hours and minutes");
}

/// The number of so many digits. `parse` would also read a sign.
fn number(text: &str, digits: RangeInclusive<usize>) -> Option<i64> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits && digits.contains(&text.len()) { text.parse().ok() } else { None }
}

gnomon_sdk::export_upcaster!(TimesToDelay);

//! Rewrites arrivals of flights to the schema version that projections read.
//!
//! The current schema version of `FlightArrived` is 2. Events of version 1 have one of two shapes:
//!
//! - the first has the scheduled and the actual time of arrival, and readers computed the difference;
//! - the second is that of version 2, written before it got a version of its own.

use gnomon_sdk::prelude::*;
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

/// An arrival in the first shape.
#[derive(Deserialize)]
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
        let Some((origin, dest)) = self.route.split_once('-') else {
            fail!("its route `{}` is not two airports", self.route);
        };
        let late = self.actual_arrival - self.scheduled_arrival;
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

/// `1:07` are 67 minutes.
fn minutes(text: &str) -> Result<i64, Failure> {
    let Some((hours, minutes)) = text.split_once(':') else {
        fail!("its air time `{text}` is not hours and minutes");
    };
    let (hours, minutes): (i64, i64) = (hours.parse()?, minutes.parse()?);
    Ok(hours * 60 + minutes)
}

gnomon_sdk::export_upcaster!(TimesToDelay);

//! Flights in the shape of the week that the repository has: announced a day before, departed, arrived; some cancelled or diverted.

use gnomon_values::{Day, Instant};

use super::drawn;

const CARRIERS: [&str; 16] =
    ["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO"];
const ORIGINS: [&str; 3] = ["EWR", "JFK", "LGA"];
/// Airports of arrival, aircraft, and the seconds between two departures, about as in that week.
const DESTINATIONS: u64 = 100;
const AIRCRAFT: u64 = 2_500;
const SECONDS_BETWEEN: i64 = 99;
/// Departures in a day, and in the hours of a flight.
const IN_A_DAY: u64 = 870;
const IN_THE_AIR: u64 = 110;
/// One flight of so many is cancelled, and one is diverted.
const CANCELLED: u64 = 174;
const DIVERTED: u64 = 290;
/// 2013-01-01T00:00:00Z, in seconds since 1970.
const FIRST: i64 = 1_356_998_400;
const DAY: i64 = 24 * 60 * 60;

/// The events as lines of an import, without an end. The flights of the first day were announced before the first event.
pub(super) fn lines() -> impl Iterator<Item = String> + Send + 'static {
    (0..).filter_map(|number| {
        let step = number / 3;
        match number % 3 {
            0 => Some(Flight::of(step + IN_A_DAY + IN_THE_AIR).scheduled(number)),
            1 => Some(Flight::of(step + IN_THE_AIR).departed_or_cancelled(number)),
            _ => Flight::of(step).arrived_or_diverted(number),
        }
    })
}

/// A flight: all of it is a function of its number.
struct Flight {
    number: u64,
    drawn: u64,
    carrier: &'static str,
    origin: &'static str,
    /// When it should leave, in seconds since 1970.
    leaves: i64,
}

impl Flight {
    fn of(number: u64) -> Self {
        let drawn = drawn::mix(number);
        Self {
            number,
            drawn,
            carrier: CARRIERS[(drawn % 16) as usize],
            origin: ORIGINS[(drawn / 16 % 3) as usize],
            leaves: FIRST + number as i64 * SECONDS_BETWEEN,
        }
    }

    fn scheduled(&self, number: u64) -> String {
        let (flight, leaves) = (self.number % 10_000, instant(self.leaves));
        let more = format!(r#","flight":{flight},"distance":{},"scheduled_departure":"{leaves}""#, self.distance());
        self.line(number, "FlightScheduled", self.leaves - DAY, &more)
    }

    fn departed_or_cancelled(&self, number: u64) -> String {
        if self.is_cancelled() {
            return self.line(number, "FlightCancelled", self.leaves, "");
        }
        let late = self.departs_late();
        self.line(number, "FlightDeparted", self.leaves + 60 * late, &format!(r#","dep_delay":{late}"#))
    }

    fn arrived_or_diverted(&self, number: u64) -> Option<String> {
        let lands = self.leaves + 60 * (self.departs_late() + self.air_time());
        if self.is_cancelled() {
            return None;
        }
        if self.drawn % DIVERTED == 1 {
            return Some(self.line(number, "FlightDiverted", lands, ""));
        }
        let late = self.departs_late() + self.draw(32, 40) - 25;
        let (air_time, distance) = (self.air_time(), self.distance());
        let more = format!(r#","arr_delay":{late},"air_time":{air_time},"distance":{distance}"#);
        Some(self.line(number, "FlightArrived", lands, &more))
    }

    fn line(&self, number: u64, event_type: &str, seconds: i64, more: &str) -> String {
        let Self { carrier, origin, .. } = self;
        let (id, time) = (drawn::id_of_event(number), instant(seconds));
        let day = Day(i32::try_from(self.leaves / DAY).unwrap_or_default());
        let stream = format!("flight-{}-{carrier}{}-{origin}", day.to_string().replace('-', ""), self.number % 10_000);
        // The current one of arrivals; the others have one only.
        let version = if event_type == "FlightArrived" { 2 } else { 1 };
        let (tailnum, dest) = (self.draw(8, AIRCRAFT), destination(self.draw(20, DESTINATIONS)));
        let data = format!(
            r#"{{"day":"{day}","carrier":"{carrier}","tailnum":"N{tailnum:05}","origin":"{origin}","dest":"{dest}"{more}}}"#
        );
        format!(
            r#"{{"id":"{id}","stream":"{stream}","type":"{event_type}","schema_version":{version},"time":"{time}","data":{data}}}"#
        )
    }

    fn is_cancelled(&self) -> bool {
        self.drawn.is_multiple_of(CANCELLED)
    }

    fn departs_late(&self) -> i64 {
        self.draw(24, 90) - 10
    }

    fn air_time(&self) -> i64 {
        self.draw(40, 300) + 40
    }

    fn distance(&self) -> i64 {
        7 * self.air_time()
    }

    /// A number from 0 on, drawn by some bits of what the flight has drawn.
    fn draw(&self, shift: u32, below: u64) -> i64 {
        ((self.drawn >> shift) % below) as i64
    }
}

fn instant(seconds: i64) -> Instant {
    Instant(seconds * 1_000_000)
}

/// The code of an airport.
fn destination(number: i64) -> String {
    let letter = |number: i64| char::from(b'A' + (number % 26) as u8);
    format!("X{}{}", letter(number / 26), letter(number))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_flights_are_as_many_of_each_kind_as_in_the_week_of_the_repository() {
        let events: Vec<Value> = lines().take(18_262).map(|line| serde_json::from_str(&line).unwrap()).collect();
        let mut of_type: HashMap<&str, usize> = HashMap::new();
        for event in &events {
            *of_type.entry(event["type"].as_str().unwrap()).or_default() += 1;
        }
        let near = |event_type: &str, wanted: usize| {
            let found = of_type[event_type];
            assert!(found.abs_diff(wanted) <= wanted / 50 + 20, "{found} × {event_type}");
        };
        near("FlightScheduled", 6_099);
        near("FlightDeparted", 6_064);
        near("FlightArrived", 6_043);
        near("FlightCancelled", 35);
        near("FlightDiverted", 21);
        let ids: HashSet<String> = events.iter().map(|event| event["id"].to_string()).collect();
        assert_eq!(ids.len(), events.len());
    }

    #[test]
    fn what_happens_to_a_flight_is_in_its_stream_in_order() {
        let mut of_flight: HashMap<String, Vec<String>> = HashMap::new();
        for line in lines().take(9_000) {
            let event: Value = serde_json::from_str(&line).unwrap();
            let [stream, event_type] = ["stream", "type"].map(|name| event[name].as_str().unwrap().to_owned());
            of_flight.entry(stream).or_default().push(event_type);
        }
        let whole: Vec<_> = of_flight.values().filter(|types| types.len() == 3).collect();
        assert!(whole.len() > 1_500, "{}", whole.len());
        assert!(whole.iter().all(|types| types[..2] == ["FlightScheduled", "FlightDeparted"]), "{whole:?}");
        let first = lines().next().unwrap();
        insta::assert_snapshot!(first, @r#"{"id":"f159bafc-d7d6-4ae4-8000-000000000000","stream":"flight-20130102-FL980-LGA","type":"FlightScheduled","schema_version":1,"time":"2013-01-01T02:57:00Z","data":{"day":"2013-01-02","carrier":"FL","tailnum":"N01069","origin":"LGA","dest":"XBC","flight":980,"distance":1750,"scheduled_departure":"2013-01-02T02:57:00Z"}}"#);
    }
}

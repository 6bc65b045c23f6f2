//! The flights as a program that an expert would write for them: no module, no host, one thread, all four tables in memory.

use std::time::Instant;

use anyhow::{Context, bail};
use gnomon_values::Instant as TimeOfEvent;
use hashbrown::HashMap;
use serde::Deserialize;
use sqlx::PgConnection;

use super::{fold::Folded, log::read_log, tables::make_flights};
use crate::postgres::{BinaryCopy, PgDate, PgTimestamp};

/// From the epoch of Postgres to that of its types here, in microseconds: 2000-01-01 and 1970-01-01.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;
/// A flight that arrives so many minutes late is on time, as in `projections/punctuality`.
const ON_TIME_MINUTES: i64 = 15;

/// All tables, by their keys. Two columns of a key are one text, with a space between them.
#[derive(Default)]
struct Tables {
    flights: HashMap<String, (&'static str, Option<i64>, Option<i64>)>,
    aircraft: HashMap<String, Aircraft>,
    /// Scheduled, departed, cancelled, diverted, arrived, on time, and both delays.
    daily: HashMap<String, [i64; 8]>,
    /// Scheduled, arrived, and minutes in the air; the latest arrival.
    routes: HashMap<String, ([i64; 3], Option<i64>)>,
    key: String,
}

#[derive(Default)]
struct Aircraft {
    arrived: i64,
    air_time: i64,
    distance: i64,
    last_state: &'static str,
    airport: Option<String>,
    last_seen: i64,
}

/// What an event of any type may have.
#[derive(Deserialize)]
struct Data<'e> {
    day: &'e str,
    carrier: &'e str,
    tailnum: &'e str,
    origin: &'e str,
    dest: &'e str,
    #[serde(default)]
    dep_delay: i64,
    #[serde(default)]
    arr_delay: i64,
    #[serde(default)]
    air_time: i64,
    #[serde(default)]
    distance: i64,
}

/// Folds all events of the log into the tables of `flights`, `fleet` and `punctuality`.
pub(in crate::cli::bench::all) async fn fold_flights(
    from: &mut PgConnection,
    to: &mut PgConnection,
) -> anyhow::Result<Folded> {
    let began = Instant::now();
    make_flights(to).await?;
    let mut tables = Tables::default();
    let events = read_log(from, ["type", "stream", "data", "time"], |fields| tables.apply(fields)).await?;
    tables.write(to).await?;
    Ok(Folded { events, took: began.elapsed() })
}

impl Aircraft {
    fn seen(&mut self, state: &'static str, airport: Option<&str>, time: i64) {
        (self.last_state, self.last_seen) = (state, time);
        self.airport = airport.map(str::to_owned);
    }
}

impl Tables {
    fn apply(&mut self, [event_type, stream, data, time]: [&[u8]; 4]) -> anyhow::Result<()> {
        let Some(flight) = std::str::from_utf8(stream)?.strip_prefix("flight-") else { return Ok(()) };
        let data: Data<'_> = serde_json::from_slice(data)?;
        let time = i64::from_be_bytes(time.try_into()?) + POSTGRES_EPOCH;
        let (state, dep_delay, arr_delay) = self.flights.entry_ref(flight).or_insert(("", None, None));
        let daily = self.daily.entry_ref(pair(&mut self.key, data.carrier, data.day)).or_default();
        match event_type {
            b"FlightScheduled" => {
                *state = "scheduled";
                daily[0] += 1;
                self.routes.entry_ref(pair(&mut self.key, data.origin, data.dest)).or_default().0[0] += 1;
            }
            b"FlightDeparted" => {
                *state = "departed";
                self.aircraft.entry_ref(data.tailnum).or_default().seen(state, Some(data.origin), time);
                *dep_delay = Some(data.dep_delay);
                daily[1] += 1;
                daily[6] += data.dep_delay;
            }
            b"FlightCancelled" => {
                *state = "cancelled";
                self.aircraft.entry_ref(data.tailnum).or_default().seen(state, Some(data.origin), time);
                daily[2] += 1;
            }
            b"FlightDiverted" => {
                *state = "diverted";
                self.aircraft.entry_ref(data.tailnum).or_default().seen(state, None, time);
                daily[3] += 1;
            }
            b"FlightArrived" => {
                *state = "arrived";
                let aircraft = self.aircraft.entry_ref(data.tailnum).or_default();
                aircraft.seen(state, Some(data.dest), time);
                aircraft.arrived += 1;
                aircraft.air_time += data.air_time;
                aircraft.distance += data.distance;
                *arr_delay = Some(data.arr_delay);
                daily[4] += 1;
                daily[5] += i64::from(data.arr_delay <= ON_TIME_MINUTES);
                daily[7] += data.arr_delay;
                let (sums, latest) = self.routes.entry_ref(pair(&mut self.key, data.origin, data.dest)).or_default();
                sums[1] += 1;
                sums[2] += data.air_time;
                *latest = (*latest).max(Some(data.arr_delay));
            }
            _ => bail!("the log has events that are not of flights"),
        }
        Ok(())
    }

    async fn write(&self, session: &mut PgConnection) -> anyhow::Result<()> {
        let mut copy = BinaryCopy::with_capacity(96 * self.flights.len());
        for (key, (last_state, dep_delay, arr_delay)) in &self.flights {
            copy.row(4);
            copy.bytes(key.as_bytes());
            copy.bytes(last_state.as_bytes());
            [*dep_delay, *arr_delay].into_iter().for_each(|delay| integer(&mut copy, delay));
        }
        send(session, "flight_state", copy).await?;
        let mut copy = BinaryCopy::with_capacity(0);
        for (key, aircraft) in &self.aircraft {
            copy.row(7);
            copy.bytes(key.as_bytes());
            [aircraft.arrived, aircraft.air_time, aircraft.distance].into_iter().for_each(|sum| copy.i64(sum));
            copy.bytes(aircraft.last_state.as_bytes());
            match &aircraft.airport {
                Some(airport) => copy.bytes(airport.as_bytes()),
                None => copy.null(),
            }
            copy.timestamp(PgTimestamp(aircraft.last_seen));
        }
        send(session, "aircraft", copy).await?;
        let mut copy = BinaryCopy::with_capacity(0);
        for (key, sums) in &self.daily {
            let (carrier, day) = key.split_once(' ').context("a key has two columns")?;
            copy.row(10);
            copy.bytes(carrier.as_bytes());
            copy.date(date(day)?);
            sums.iter().for_each(|sum| copy.i64(*sum));
        }
        send(session, "carrier_daily", copy).await?;
        let mut copy = BinaryCopy::with_capacity(0);
        for (key, (sums, latest)) in &self.routes {
            let (origin, dest) = key.split_once(' ').context("a key has two columns")?;
            copy.row(6);
            [origin, dest].iter().for_each(|airport| copy.bytes(airport.as_bytes()));
            sums.iter().for_each(|sum| copy.i64(*sum));
            integer(&mut copy, *latest);
        }
        send(session, "route", copy).await
    }
}

/// Both columns of a key as one text.
fn pair<'k>(key: &'k mut String, one: &str, other: &str) -> &'k str {
    key.clear();
    key.extend([one, " ", other]);
    key
}

fn integer(copy: &mut BinaryCopy, value: Option<i64>) {
    match value {
        Some(value) => copy.i64(value),
        None => copy.null(),
    }
}

fn date(day: &str) -> anyhow::Result<PgDate> {
    let midnight = TimeOfEvent::parse(&format!("{day}T00:00:00Z"))?;
    Ok(PgDate(i32::try_from(midnight.0 / MICROSECONDS_OF_A_DAY)?))
}

async fn send(session: &mut PgConnection, table: &str, rows: BinaryCopy) -> anyhow::Result<()> {
    let mut copy = session.copy_in_raw(&format!("COPY beside.{table} FROM STDIN (FORMAT binary)")).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}

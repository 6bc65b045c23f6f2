//! A projection with instants, days and times without a time zone wherever a table can have them: as keys, in indexes, with and without null.

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// What is noted.
#[derive(Events)]
pub enum Noting {
    /// Something happened.
    #[event("Noted")]
    Noted(Noted),
    /// Somebody asks for what was noted at an instant, by each way in which a row can be asked for.
    #[event("Asked")]
    Asked(Asked),
}

/// Something happened.
#[derive(Deserialize)]
pub struct Noted {
    /// An instant that the event tells of, beside its own time.
    due: Option<Timestamp>,
    /// A day that it tells of.
    day: Option<Date>,
    /// A date and time without a time zone.
    local: Option<LocalTimestamp>,
    /// A time of day.
    clock: Option<TimeOfDay>,
}

/// A question.
#[derive(Deserialize)]
pub struct Asked {
    way: Way,
    at: Timestamp,
    /// The time of day of the local table, if that is asked instead.
    clock: Option<TimeOfDay>,
}

/// A way to ask for rows.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By the key.
    Get,
    /// By the key, to delete the row.
    Delete,
    /// By the key, in advance as well.
    Prefetch,
    /// By an index.
    Find,
}

/// An event, by its position.
#[derive(Table)]
#[table("notes")]
#[index("by_at", columns(at))]
#[index("by_due", columns(due, day))]
#[index("by_local", columns(local, clock))]
pub struct Note {
    /// Where the event stands.
    #[key]
    pub position: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The day of that.
    pub on: Date,
    /// The instant that it tells of.
    pub due: Option<Timestamp>,
    /// The day that it tells of.
    pub day: Option<Date>,
    /// The date and time without a time zone.
    pub local: Option<LocalTimestamp>,
    /// The time of day.
    pub clock: Option<TimeOfDay>,
    /// How many notes before it have the same local time.
    pub local_before: i64,
    /// How many notes before it have the same time.
    pub before: i64,
}

/// How often something happened at one instant.
#[derive(Table)]
#[table("instants")]
pub struct InstantNotes {
    /// The instant.
    #[key]
    pub at: Timestamp,
    /// Its day.
    #[key]
    pub on: Date,
    /// How often.
    pub notes: i64,
}

/// How often something happened at one local time.
#[derive(Table)]
#[table("locals")]
pub struct LocalNotes {
    /// The date and time.
    #[key]
    pub local: LocalTimestamp,
    /// Its time of day.
    #[key]
    pub clock: TimeOfDay,
    /// How often.
    pub notes: i64,
}

/// Keeps the tables.
pub struct Calendar;

impl Projection for Calendar {
    type Event = Noting;
    type Tables = (Note, InstantNotes, LocalNotes);

    fn handle(event: &Event<Noting>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            Noting::Noted(noted) => note(event, noted, rows),
            Noting::Asked(Asked { way, at, clock: Some(clock) }) => {
                let local = at.naive_utc();
                match way {
                    Way::Get | Way::Prefetch => drop(rows.get::<LocalNotes>((local, *clock))),
                    Way::Delete => rows.delete::<LocalNotes>((local, *clock)),
                    Way::Find => drop(rows.find(Note::by_local(local, *clock))),
                }
                Ok(())
            }
            Noting::Asked(Asked { way, at, clock: None }) => {
                let key = (*at, at.date_naive());
                match way {
                    Way::Get | Way::Prefetch => drop(rows.get::<InstantNotes>(key)),
                    Way::Delete => rows.delete::<InstantNotes>(key),
                    Way::Find => drop(rows.find(Note::by_at(*at))),
                }
                Ok(())
            }
        }
    }

    fn prefetch(event: &Event<Noting>, prefetch: &mut Prefetch) {
        match &event.data {
            Noting::Asked(Asked { way: Way::Prefetch, at, clock: None }) => {
                prefetch.want::<InstantNotes>((*at, at.date_naive()));
            }
            Noting::Asked(Asked { way: Way::Prefetch, at, clock: Some(clock) }) => {
                prefetch.want::<LocalNotes>((at.naive_utc(), *clock));
            }
            _ => {}
        }
    }
}

fn note(event: &Event<Noting>, noted: &Noted, rows: &mut Rows) -> Result<(), Failure> {
    let (at, on) = (event.time, event.time.date_naive());
    let before = i64::try_from(rows.find(Note::by_at(at)).len())?;
    let position = i64::try_from(event.position)?;
    let Noted { due, day, local, clock } = *noted;
    let mut local_before = 0;
    if let (Some(local), Some(clock)) = (local, clock) {
        local_before = i64::try_from(rows.find(Note::by_local(local, clock)).len())?;
        let new = || LocalNotes { local, clock, notes: 0 };
        rows.get_or_insert_with::<LocalNotes>((local, clock), new).notes += 1;
    }
    rows.put(Note { position, at, on, due, day, local, clock, local_before, before });
    rows.get_or_insert_with::<InstantNotes>((at, on), || InstantNotes { at, on, notes: 0 }).notes += 1;
    Ok(())
}

gnomon_sdk::export!(Calendar);

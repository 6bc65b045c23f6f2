//! A projection with instants and days wherever a table can have them: as keys, in indexes, with and without null.

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
}

/// A question.
#[derive(Deserialize)]
pub struct Asked {
    way: Way,
    at: Timestamp,
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

/// Keeps both tables.
pub struct Calendar;

impl Projection for Calendar {
    type Event = Noting;
    type Tables = (Note, InstantNotes);

    fn handle(event: &Event<Noting>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            Noting::Noted(noted) => note(event, noted, rows),
            Noting::Asked(Asked { way, at }) => {
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
        if let Noting::Asked(Asked { way: Way::Prefetch, at }) = &event.data {
            prefetch.want::<InstantNotes>((*at, at.date_naive()));
        }
    }
}

fn note(event: &Event<Noting>, noted: &Noted, rows: &mut Rows) -> Result<(), Failure> {
    let (at, on) = (event.time, event.time.date_naive());
    let before = i64::try_from(rows.find(Note::by_at(at)).len())?;
    let position = i64::try_from(event.position)?;
    rows.put(Note { position, at, on, due: noted.due, day: noted.day, before });
    rows.get_or_insert_with::<InstantNotes>((at, on), || InstantNotes { at, on, notes: 0 }).notes += 1;
    Ok(())
}

gnomon_sdk::export!(Calendar);

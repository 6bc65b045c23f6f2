//! The logs of the places.

use super::{
    bank::Bank,
    flights,
    lines::text_of,
    rare_types,
    row::{OfStream, PlaceOfRow},
    streams,
};
use crate::cli::import::Source;

/// A log that is imported before anything is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// What clients append, and what they ask for.
    pub(super) bank: Bank,
    events: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bank,
    RareTypes,
    Flights,
    Streams(&'static [OfStream]),
}

/// The logs of a place, the smallest first.
pub(super) fn of_place(place: PlaceOfRow, events: u64) -> Vec<Log> {
    match place {
        PlaceOfRow::Empty | PlaceOfRow::EmptyEachRound | PlaceOfRow::Announcements => {
            vec![Log { events: 0, ..Log::of_bank(events) }]
        }
        PlaceOfRow::Bank | PlaceOfRow::Movements | PlaceOfRow::Answers | PlaceOfRow::TenModules => {
            vec![Log::of_bank(events)]
        }
        PlaceOfRow::KeptAnswers => vec![Log::of_bank(events); 2],
        PlaceOfRow::Observed => vec![Log::of_bank(events); 3],
        PlaceOfRow::ManyAccounts => vec![Log { bank: Bank::of_accounts(events), ..Log::of_bank(events) }],
        PlaceOfRow::RareTypes => vec![Log { kind: Kind::RareTypes, ..Log::of_bank(events) }],
        PlaceOfRow::Flights => vec![Log { kind: Kind::Flights, ..Log::of_bank(events) }],
        PlaceOfRow::Finds => {
            let accounts = [events / 100, events / 10, events];
            let of_accounts =
                |accounts| Log { bank: Bank::of_accounts(accounts), ..Log::of_bank(accounts + finds(events)) };
            accounts.map(of_accounts).to_vec()
        }
        PlaceOfRow::Streams => vec![Log { kind: Kind::Streams(&streams::STREAMS), ..Log::of_bank(events) }; 2],
        PlaceOfRow::LongStream => vec![Log { kind: Kind::Streams(&[OfStream::All]), ..Log::of_bank(events) }; 2],
        PlaceOfRow::ThreeSizes => [1, 3, 10].map(|times| Log::of_bank(times * events)).to_vec(),
    }
}

/// Events of each log of [`PlaceOfRow::Finds`] after the accounts are opened: at each of them, rows are found.
pub(super) fn finds(events: u64) -> u64 {
    events / 20
}

impl Log {
    /// The first events of the bank.
    pub(super) fn of_bank(events: u64) -> Self {
        Self { bank: Bank::of_events(events), events, kind: Kind::Bank }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// The events, to be imported.
    pub(super) fn source(&self) -> std::io::Result<Source> {
        let Self { bank, events, kind } = *self;
        match kind {
            Kind::Bank => Source::read(text_of((0..events).map(move |number| bank.event(number).to_line())), None),
            Kind::RareTypes => Source::read(text_of(rare_types::lines(events)), None),
            Kind::Streams(of) => Source::read(text_of(streams::lines(of, events)), None),
            Kind::Flights => Source::read(text_of(flights::lines().take(events as usize)), None),
        }
    }
}

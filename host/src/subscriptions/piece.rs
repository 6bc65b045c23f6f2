//! Pieces of the log as they are read: a range of positions with the events in it that a filter lets through.

use std::{ops::Range, sync::Arc, time::Instant};

use gnomon_values::names;
use hashbrown::HashSet;

use crate::{
    event_log::{EventLog, Filter, NameFilter, PageSize, Position},
    metrics,
    runtime::Delivery,
};

/// A range of the log: the events in it that a filter lets through, which several builds may fold.
#[derive(Debug)]
pub(super) struct Piece {
    /// The range begins behind this position.
    pub(super) after: Position,
    /// The last position of the range, whether or not the event there matches.
    pub(super) to: Position,
    /// The end of the log when it was read.
    pub(super) head: Position,
    pub(super) events: Vec<Delivery>,
    /// What the events take in memory, about.
    pub(super) bytes: usize,
}

/// Some events of a piece.
#[derive(Clone, Debug)]
pub(super) struct Part {
    piece: Arc<Piece>,
    chosen: Chosen,
    bytes: usize,
}

/// Which events of a piece.
#[derive(Clone, Debug)]
enum Chosen {
    Range(Range<usize>),
    /// Those at these indexes, in their order.
    At(Vec<u32>),
}

/// What a filter without a query lets through, to be looked up for each event.
#[derive(Debug)]
pub(super) struct Choice {
    types: Option<HashSet<String>>,
    categories: Option<HashSet<String>>,
}

/// Reads a piece.
pub(super) async fn read(
    log: &EventLog,
    after: Position,
    size: PageSize,
    filter: &Filter,
) -> Result<Piece, sqlx::Error> {
    let began = Instant::now();
    let page = log.read_batch(after, size, filter).await?;
    metrics::of_host().projector.read(page.events.len(), began.elapsed());
    let to = page.next.unwrap_or(after);
    let events: Vec<Delivery> = page.events.into_iter().map(Delivery::from).collect();
    let bytes = events.iter().map(bytes_of).sum();
    Ok(Piece { after, to, head: page.head, events, bytes })
}

impl Choice {
    pub(super) fn of(filter: &Filter) -> Self {
        let names = |names: &NameFilter| names.names().map(|names| names.iter().cloned().collect());
        Self { types: names(&filter.types), categories: names(&filter.categories) }
    }

    fn admits(&self, event: &Delivery) -> bool {
        let is_in =
            |names: &Option<HashSet<String>>, name: &str| names.as_ref().is_none_or(|names| names.contains(name));
        is_in(&self.types, &event.event_type) && is_in(&self.categories, names::split_stream(&event.stream).0)
    }
}

impl Part {
    /// The events of a piece behind `after` and not beyond `until`, and of these what is chosen.
    pub(super) fn of(piece: Arc<Piece>, after: Position, until: Option<Position>, choice: Option<&Choice>) -> Self {
        let behind = |position: Position| piece.events.partition_point(|event| event.position <= position);
        let range = behind(after)..until.map_or(piece.events.len(), behind);
        if range.len() == piece.events.len() && choice.is_none() {
            let bytes = piece.bytes;
            return Self { piece, chosen: Chosen::Range(range), bytes };
        }
        let chosen = match choice {
            None => Chosen::Range(range),
            // A piece has far fewer events than a `u32` can count.
            Some(choice) => Chosen::At(
                range.filter(|&index| choice.admits(&piece.events[index])).map(|index| index as u32).collect(),
            ),
        };
        let mut part = Self { piece, chosen, bytes: 0 };
        part.bytes = part.events().map(bytes_of).sum();
        part
    }

    pub(super) fn len(&self) -> usize {
        match &self.chosen {
            Chosen::Range(range) => range.len(),
            Chosen::At(indexes) => indexes.len(),
        }
    }

    pub(super) fn last(&self) -> Option<&Delivery> {
        let index = match &self.chosen {
            Chosen::Range(range) => range.clone().last()?,
            Chosen::At(indexes) => *indexes.last()? as usize,
        };
        self.piece.events.get(index)
    }

    /// What its events take in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Delivery> {
        let (range, indexes) = match &self.chosen {
            Chosen::Range(range) => (range.clone(), &[][..]),
            Chosen::At(indexes) => (0..0, &indexes[..]),
        };
        let events = &self.piece.events;
        events[range].iter().chain(indexes.iter().map(|&index| &events[index as usize]))
    }
}

fn bytes_of(event: &Delivery) -> usize {
    size_of::<Delivery>()
        + event.data.len()
        + event.stream.len()
        + event.event_type.len()
        + event.metadata.as_ref().map_or(0, |metadata| metadata.len())
        + event.tags.iter().map(|tag| size_of_val(tag) + tag.len()).sum::<usize>()
}

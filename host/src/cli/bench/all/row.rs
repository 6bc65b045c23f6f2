//! A row of the table: what is measured, where, and what stands beside it.

use std::fmt;

use serde::Serialize;

use super::webhook::{SECRET, SECRET_VARIABLE};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its name, by which `--only` and the JSON know it.
    pub(super) name: &'static str,
    pub(super) place: PlaceOfRow,
    pub(super) measurement: Measurement,
    pub(super) ours: &'static str,
    pub(super) beside: &'static str,
    pub(super) unit: Unit,
}

/// Where a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceOfRow {
    /// A log that is empty in the beginning, without modules.
    Empty,
    /// Another log for each round, which is empty.
    EmptyEachRound,
    /// The log of the bank, and its projection.
    Bank,
    /// The log of the bank and its projection, twice: a host that keeps answers, and one that does not.
    KeptAnswers,
    /// A log in which each event opens another account, and the projection of the bank.
    ManyAccounts,
    /// The log of the bank, and a projection with a row for each event.
    Movements,
    /// Another log of the bank for each round, two projections, and a reactor that answers each of its events.
    Answers,
    /// A log that is empty in the beginning, and a reactor that sends messages.
    Announcements,
    /// A log of many types of events, and the projection of the bank, which wants one of them.
    RareTypes,
    /// A log of flights, and their projections.
    Flights,
    /// Three logs, each with more accounts than the one before, and two projections of the bank, of which one finds by an index.
    Finds,
    /// The log of the bank, and ten modules.
    TenModules,
    /// The log of the bank and its projection, three times: a host that sends all traces, one that sends a hundredth of them, and one that
    /// sends none.
    Observed,
    /// Three logs of the bank, each with more events than the one before, and its projection.
    ThreeSizes,
    /// A log of three streams of the bank, each longer than the one before, and its projection, twice: a host that keeps snapshots, and one that
    /// keeps none.
    Streams,
    /// The same with one stream of all events.
    LongStream,
}

impl PlaceOfRow {
    /// Settings of its host that has the log at an index, where they are not the default, as variables of the environment.
    pub(super) fn settings(self, index: usize) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::KeptAnswers if index == 0 => &[],
            Self::Observed if index == 1 => &[
                ("GNOMON_CACHE_BYTES", "0"),
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.01"),
            ],
            Self::Announcements => &[("GNOMON_CACHE_BYTES", "0"), (SECRET_VARIABLE, SECRET)],
            // Of its two projections one is partitioned by stream, and both are to be folded in the same way.
            Self::Finds => &[("GNOMON_REPLAY_THREADS", "1")],
            Self::Streams | Self::LongStream if index == 1 => &[("GNOMON_SNAPSHOT_EVERY", "1000000000")],
            // Queries are measured, and not answers that are kept.
            _ => &[("GNOMON_CACHE_BYTES", "0")],
        }
    }

    /// Whether its host that has the log at an index sends traces and logs.
    pub(super) fn is_observed(self, index: usize) -> bool {
        self == Self::Observed && index < 2
    }

    /// Whether it is another one for each round.
    pub(super) fn is_new_each_round(self) -> bool {
        matches!(self, Self::EmptyEachRound | Self::Answers)
    }

    /// Whether its rows are left out unless they are asked for, since they take long.
    pub(super) fn only_if_asked(self) -> bool {
        matches!(self, Self::Observed | Self::ThreeSizes | Self::LongStream)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measurement {
    Append {
        clients: usize,
    },
    /// Appends beside message-db.
    MessageDb {
        clients: usize,
    },
    AppendOfMany,
    Import,
    Rebuild,
    TenRebuilds,
    OwnWrite {
        /// Whether others append 1,000 events in a second.
        others: bool,
    },
    PointQuery {
        connections: usize,
    },
    KeptAnswer {
        connections: usize,
    },
    Page,
    /// Statistics of the log.
    Stats,
    Movements(OfMovements),
    Swap,
    CatchUp,
    /// A reactor that appends an event for each that it reads, beside a rebuild of this projection.
    React {
        beside: &'static str,
    },
    /// Publishing the log to JetStream.
    Publish,
    /// The delivery of a message by webhook.
    Deliver,
    /// A thousand followers of a table, beside one.
    Follow(Followers),
    RebuildFlights,
    Find,
    Start,
    Idle {
        appending: bool,
    },
    /// The processor time of a host that is seen, beside that of one that is not.
    Observed {
        work: Work,
        seen: Seen,
    },
    AtSizes(Cost),
    /// The past of a stream, with and without snapshots.
    Past {
        told: Told,
        of: OfStream,
    },
}

/// What followers of a table hear of what is committed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Followers {
    /// All of them each commit.
    Told,
    /// Nothing: they follow one row, and others change.
    OneQuery,
    /// Nothing, and each of them follows another row.
    ManyQueries,
}

/// What is told of the past of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// Its rows after an event.
    State,
    /// A page of its events, with what each changed.
    History,
}

/// Of a stream of how many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfStream {
    /// Ten.
    Ten,
    /// A thousandth of those of the log.
    Thousandth,
    /// A tenth of them.
    Tenth,
    /// All of them.
    All,
}

/// A query on many rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum OfMovements {
    /// Aggregates of all rows, in groups.
    Statistics,
    /// Aggregates of some rows, of which an index has all that they need.
    StatisticsCovered,
    /// A page of rows, each with the row that it references.
    Embedding,
}

/// How a host is seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    /// It sends all traces, and its log.
    Traced,
    /// It sends a hundredth of the traces, and its log.
    Sampled,
    /// It is asked for its measures.
    Scraped,
}

/// What is measured while a host is observed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    Append,
    Rebuild,
}

/// What is measured at several sizes of the log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    Append,
    Rebuild,
    Query,
}

/// The unit of a row's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Unit {
    #[serde(rename = "events/s")]
    EventsPerSecond,
    #[serde(rename = "requests/s")]
    RequestsPerSecond,
    /// The median time of a request.
    #[serde(rename = "ms, p50")]
    MedianMilliseconds,
    /// The longest time of a request. It is the figure of one request among thousands, and no measure of speed.
    #[serde(rename = "ms, longest")]
    LongestMilliseconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "µs/event")]
    MicrosecondsPerEvent,
    /// Of the host's processor time.
    #[serde(rename = "µs of a core/event")]
    HostMicrosecondsPerEvent,
    /// Of the host's processor time. It is so little that its ratio says nothing.
    #[serde(rename = "% of a core")]
    PercentOfCore,
}

impl Unit {
    /// How fast the host is where what stands beside it is 1.
    pub(super) fn ratio(self, ours: f64, beside: f64) -> f64 {
        let (part, whole) = if self.less_is_better() { (beside, ours) } else { (ours, beside) };
        if whole > 0.0 { part / whole } else { 0.0 }
    }

    pub(super) fn less_is_better(self) -> bool {
        !matches!(self, Self::EventsPerSecond | Self::RequestsPerSecond)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::EventsPerSecond => "events/s",
            Self::RequestsPerSecond => "requests/s",
            Self::MedianMilliseconds => "ms, p50",
            Self::LongestMilliseconds => "ms, longest",
            Self::Milliseconds => "ms",
            Self::MicrosecondsPerEvent => "µs/event",
            Self::HostMicrosecondsPerEvent => "µs of a core/event",
            Self::PercentOfCore => "% of a core",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_ratio_is_always_faster() {
        assert_eq!(Unit::EventsPerSecond.ratio(50.0, 100.0), 0.5);
        assert_eq!(Unit::MedianMilliseconds.ratio(4.0, 1.0), 0.25);
        assert_eq!(Unit::EventsPerSecond.ratio(50.0, 0.0), 0.0);
    }
}

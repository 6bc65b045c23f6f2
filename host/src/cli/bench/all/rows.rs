//! The rows of the table.

use super::{
    modules::{BANK, MOVEMENTS},
    row::{Cost, Followers, Measurement, OfMovements, OfStream, PlaceOfRow, Row, Seen, Told, Unit, Work},
};

/// All rows. Those of one place stand together.
pub(super) const ROWS: [Row; 54] = [
    append("append-1", 1, "appends of one event, 1 client"),
    append("append-16", 16, "appends of one event, 16 clients"),
    append("append-64", 64, "appends of one event, 64 clients"),
    append("append-256", 256, "appends of one event, 256 clients"),
    message_db("message-db-16", 16, "appends of one event, 16 clients"),
    message_db("message-db-64", 64, "appends of one event, 64 clients"),
    Row {
        name: "append-of-100",
        place: PlaceOfRow::Empty,
        measurement: Measurement::AppendOfMany,
        ours: "appends of 100 events, 16 clients",
        beside: "COPY of 100 rows in a transaction, 16 sessions",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "import",
        place: PlaceOfRow::EmptyEachRound,
        measurement: Measurement::Import,
        ours: "import of --events events",
        beside: "COPY of them in one transaction",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "rebuild",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Rebuild,
        ours: "rebuild of the bank from --events events",
        beside: "a Rust program without Wasm, one thread",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "ten-rebuilds",
        place: PlaceOfRow::Bank,
        measurement: Measurement::TenRebuilds,
        ours: "ten rebuilds at once, in sum",
        beside: "one rebuild alone",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "own-write",
        place: PlaceOfRow::Bank,
        measurement: Measurement::OwnWrite { others: false },
        ours: "append until the row is answered, 1 client",
        beside: "two commits, one after the other",
        unit: Unit::MedianMilliseconds,
    },
    Row {
        name: "own-write-1000",
        place: PlaceOfRow::Bank,
        measurement: Measurement::OwnWrite { others: true },
        ours: "append until the row is answered, 1 client, while others append 1,000 a second",
        beside: "two commits, one after the other, and nobody else",
        unit: Unit::MedianMilliseconds,
    },
    point_query("point-query-1", 1, "query by key, 1 connection"),
    point_query("point-query-32", 32, "query by key, 32 connections"),
    Row {
        name: "page-32",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Page,
        ours: "page of 100 rows by an index, 32 connections",
        beside: "the same SELECT with json_agg, 32 sessions",
        unit: Unit::RequestsPerSecond,
    },
    Row {
        name: "stats",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Stats,
        ours: "statistics of a log of --events events, 1 connection",
        beside: "SELECT 1, prepared, 1 session",
        unit: Unit::MedianMilliseconds,
    },
    Row {
        name: "swap",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Swap,
        ours: "1,000 queries and 1,000 appends a second during a rebuild and its activation",
        beside: "the same load without them",
        unit: Unit::LongestMilliseconds,
    },
    Row {
        name: "publish-log",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Publish,
        ours: "publishing of the log to JetStream",
        beside: "as many messages of the same size by the same client, without a host; left out where there is no NATS server",
        unit: Unit::EventsPerSecond,
    },
    followers(
        "followers-1000",
        Followers::OneQuery,
        "appends of 1 client, each until the row is answered, while 1,000 follow another row",
        Unit::EventsPerSecond,
    ),
    followers(
        "followers-1000-queries",
        Followers::ManyQueries,
        "the same, while 1,000 follow another row each",
        Unit::EventsPerSecond,
    ),
    followers(
        "followers-1000-told",
        Followers::Told,
        "append until 1,000 have got the row that they follow, 1 client",
        Unit::MedianMilliseconds,
    ),
    kept_answer("kept-answer-1", 1, "a query for one of 100 rows by its key, whose answer is kept, 1 connection"),
    kept_answer("kept-answer-32", 32, "the same, 32 connections"),
    of_movements(
        "statistics",
        OfMovements::Statistics,
        "count, sum, avg, min and max of four groups over --events rows, 1 connection",
        "the same SELECT, prepared, 1 session",
    ),
    of_movements(
        "statistics-covered",
        OfMovements::StatisticsCovered,
        "count, sum and max of a hundredth of --events rows, which an index covers, 1 connection",
        "the same SELECT, prepared, 1 session",
    ),
    of_movements(
        "embedding",
        OfMovements::Embedding,
        "page of 100 rows, each with the row that it references, 1 connection",
        "the same join with json_agg, prepared, 1 session",
    ),
    reactor("reactor", BANK, "rebuild of the bank from the same events"),
    reactor("reactor-rows", MOVEMENTS, "rebuild of a projection that has a row for each of the same events"),
    Row {
        name: "deliver",
        place: PlaceOfRow::Announcements,
        measurement: Measurement::Deliver,
        ours: "from the answer to an append until a webhook has the reactor's message, 1 client",
        beside: "one prepared INSERT, a transaction each, 1 session",
        unit: Unit::MedianMilliseconds,
    },
    Row {
        name: "rebuild-many-accounts",
        place: PlaceOfRow::ManyAccounts,
        measurement: Measurement::Rebuild,
        ours: "rebuild from --events events, each of another account",
        beside: "a Rust program without Wasm, one thread",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "catch-up-cold",
        place: PlaceOfRow::ManyAccounts,
        measurement: Measurement::CatchUp,
        ours: "catch-up of a live build over a tenth of --events events, each of another account that is not in memory",
        beside: "the same upserts by UNNEST, in batches of the same size",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "rare-type",
        place: PlaceOfRow::RareTypes,
        measurement: Measurement::Rebuild,
        ours: "rebuild from --events events of 1,000 types, of which it wants one",
        beside: "a Rust program that reads them all",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "rebuild-flights",
        place: PlaceOfRow::Flights,
        measurement: Measurement::RebuildFlights,
        ours: "rebuild of punctuality, flights and fleet from --events events, at once",
        beside: "a Rust program without Wasm, one thread",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "find",
        place: PlaceOfRow::Finds,
        measurement: Measurement::Find,
        ours: "find by an index in a rebuild, as many rows as --events",
        beside: "a hundredth of the rows",
        unit: Unit::MicrosecondsPerEvent,
    },
    Row {
        name: "start",
        place: PlaceOfRow::TenModules,
        measurement: Measurement::Start,
        ours: "start of a host on --events events and ten modules, until it is ready",
        beside: "SELECT 1 on a new connection",
        unit: Unit::Milliseconds,
    },
    Row {
        name: "idle-builds",
        place: PlaceOfRow::TenModules,
        measurement: Measurement::Idle { appending: false },
        ours: "ten builds, and nothing is appended",
        beside: "the same builds paused",
        unit: Unit::PercentOfCore,
    },
    Row {
        name: "idle-builds-appends",
        place: PlaceOfRow::TenModules,
        measurement: Measurement::Idle { appending: true },
        ours: "ten builds, and 100 appends a second of a type that none of them wants",
        beside: "the same builds paused",
        unit: Unit::PercentOfCore,
    },
    observed(
        "traced-append",
        Work::Append,
        Seen::Traced,
        "an append of one event, 16 clients, all traced and logged over OTLP",
    ),
    observed("sampled-append", Work::Append, Seen::Sampled, "the same, one trace of a hundred"),
    observed("scraped-append", Work::Append, Seen::Scraped, "the same without traces, measures asked for each second"),
    observed(
        "traced-rebuild",
        Work::Rebuild,
        Seen::Traced,
        "an event of a rebuild of the bank, traced and logged over OTLP",
    ),
    observed("sampled-rebuild", Work::Rebuild, Seen::Sampled, "the same, one trace of a hundred"),
    observed(
        "scraped-rebuild",
        Work::Rebuild,
        Seen::Scraped,
        "the same without traces, measures asked for each second",
    ),
    at_sizes(
        "cost-at-size-append",
        Cost::Append,
        "appends of one event, 16 clients, 10 × --events events before",
        Unit::EventsPerSecond,
    ),
    at_sizes("cost-at-size-rebuild", Cost::Rebuild, "rebuild of the bank, 10 × --events events", Unit::EventsPerSecond),
    at_sizes(
        "cost-at-size-query",
        Cost::Query,
        "query by key, 32 connections, 10 × --events events",
        Unit::RequestsPerSecond,
    ),
    past("state-10", Told::State, OfStream::Ten, "state of a stream of 10 events, at versions that are drawn"),
    past("state-1000", Told::State, OfStream::Thousandth, "the same of a stream of a thousandth of --events events"),
    past("state-100000", Told::State, OfStream::Tenth, "the same of a stream of a tenth of --events events"),
    past("history-10", Told::History, OfStream::Ten, "page of the history of a stream of 10 events, newest first"),
    past(
        "history-1000",
        Told::History,
        OfStream::Thousandth,
        "page of 100 events of the history of a stream of a thousandth of --events events, newest first",
    ),
    past("history-100000", Told::History, OfStream::Tenth, "the same of a stream of a tenth of --events events"),
    past("state-1000000", Told::State, OfStream::All, "state of a stream of --events events; only with --only"),
    past(
        "history-1000000",
        Told::History,
        OfStream::All,
        "page of 100 events of its history, newest first; only with --only",
    ),
];

const fn reactor(name: &'static str, projection: &'static str, beside: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Answers,
        measurement: Measurement::React { beside: projection },
        ours: "reactor that appends one event for each of --events events",
        beside,
        unit: Unit::EventsPerSecond,
    }
}

const fn followers(name: &'static str, followers: Followers, ours: &'static str, unit: Unit) -> Row {
    Row {
        name,
        place: PlaceOfRow::Bank,
        measurement: Measurement::Follow(followers),
        ours,
        beside: "the same with 1 follower",
        unit,
    }
}

const fn past(name: &'static str, told: Told, of: OfStream, ours: &'static str) -> Row {
    let place = match of {
        OfStream::All => PlaceOfRow::LongStream,
        _ => PlaceOfRow::Streams,
    };
    Row {
        name,
        place,
        measurement: Measurement::Past { told, of },
        ours,
        beside: "the same of a host that keeps no snapshots",
        unit: Unit::MedianMilliseconds,
    }
}

const fn message_db(name: &'static str, clients: usize, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Empty,
        measurement: Measurement::MessageDb { clients },
        ours,
        beside: "message_store.write_message of message-db, as many sessions; left out where it is not installed",
        unit: Unit::EventsPerSecond,
    }
}

const fn at_sizes(name: &'static str, cost: Cost, ours: &'static str, unit: Unit) -> Row {
    Row {
        name,
        place: PlaceOfRow::ThreeSizes,
        measurement: Measurement::AtSizes(cost),
        ours,
        beside: "the same with --events events; only with --only",
        unit,
    }
}

const fn observed(name: &'static str, work: Work, seen: Seen, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Observed,
        measurement: Measurement::Observed { work, seen },
        ours,
        beside: "the same of a host that sends nothing and is not asked; only with --only",
        unit: Unit::HostMicrosecondsPerEvent,
    }
}

const fn append(name: &'static str, clients: usize, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Empty,
        measurement: Measurement::Append { clients },
        ours,
        beside: "prepared INSERT, a transaction each, as many sessions (64 where Postgres allows no more)",
        unit: Unit::EventsPerSecond,
    }
}

const fn kept_answer(name: &'static str, connections: usize, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::KeptAnswers,
        measurement: Measurement::KeptAnswer { connections },
        ours,
        beside: "the same query of a host that keeps no answers",
        unit: Unit::RequestsPerSecond,
    }
}

const fn of_movements(name: &'static str, query: OfMovements, ours: &'static str, beside: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Movements,
        measurement: Measurement::Movements(query),
        ours,
        beside,
        unit: Unit::MedianMilliseconds,
    }
}

const fn point_query(name: &'static str, connections: usize, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Bank,
        measurement: Measurement::PointQuery { connections },
        ours,
        beside: "the same SELECT, prepared, as many sessions",
        unit: Unit::RequestsPerSecond,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_rows_of_a_place_stand_together() {
        let mut places: Vec<PlaceOfRow> = ROWS.iter().map(|row| row.place).collect();
        places.dedup();
        let all: HashSet<String> = places.iter().map(|place| format!("{place:?}")).collect();
        assert_eq!(places.len(), all.len(), "{places:?}");
        assert_eq!(ROWS.map(|row| row.name).iter().collect::<HashSet<_>>().len(), ROWS.len());
    }
}

//! What is counted of an event, in SQL.

/// The events at the positions `$1` < p <= `$2`. The day is that of the append, in UTC: `time` is what the writer says.
///
/// The positions are values that Postgres knows when it plans, if the statement is not kept: so it opens the partitions that have them, and
/// no other.
macro_rules! counted {
    () => {
        "SELECT position, version, stream, type, split_part(stream, '-', 1) AS category, recorded_at,
             (recorded_at AT TIME ZONE 'UTC')::date AS day,
             octet_length(data::text)::bigint + coalesce(octet_length(metadata::text), 0) AS bytes
         FROM gnomon.events WHERE position > $1 AND position <= $2"
    };
}

pub(super) use counted;

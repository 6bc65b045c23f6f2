-- What is known of the log as a whole, for statistics. See docs/ARCHITECTURE.md, "The log".
--
-- Hosts write it behind the appends, step by step, in transactions that move `log_summary.position` with it: so it says exactly what the
-- events up to that position are, and a host that is killed leaves nothing half done.

CREATE TABLE gnomon.log_summary (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The events up to here are counted.
    position bigint NOT NULL DEFAULT 0,
    -- The stamp of the event there, and the log that it is in: the database may be restored, and its positions given a second time.
    recorded_at timestamptz NOT NULL DEFAULT '-infinity',
    log_id uuid,
    events bigint NOT NULL DEFAULT 0,
    -- Bytes of data and metadata, as their writers wrote them.
    bytes bigint NOT NULL DEFAULT 0,
    -- How many there are.
    streams bigint NOT NULL DEFAULT 0,
    types bigint NOT NULL DEFAULT 0,
    categories bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

INSERT INTO gnomon.log_summary DEFAULT VALUES;

-- Each type of events. Like `event_types`, it has as many rows as writers have made up types.
CREATE TABLE gnomon.log_summary_types (
    name text COLLATE "C" PRIMARY KEY,
    events bigint NOT NULL,
    bytes bigint NOT NULL,
    -- Streams that began with such an event.
    streams bigint NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX ON gnomon.log_summary_types (events DESC, name);

-- Each category of streams; the name is empty for streams that have none.
CREATE TABLE gnomon.log_summary_categories (LIKE gnomon.log_summary_types INCLUDING ALL) WITH (fillfactor = 50);

-- Each day, in UTC, in which events were appended.
CREATE TABLE gnomon.log_summary_days (
    day date PRIMARY KEY,
    events bigint NOT NULL,
    bytes bigint NOT NULL,
    streams bigint NOT NULL
) WITH (fillfactor = 50);

-- The streams with the most events, a thousand. Versions only grow, so those of a step and those before it have the next thousand among them.
CREATE TABLE gnomon.log_summary_streams (
    stream text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    last_position bigint NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX ON gnomon.log_summary_streams (version DESC, stream);

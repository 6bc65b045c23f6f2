-- The log of events. See docs/ARCHITECTURE.md, "The log".

-- The position of the newest event. Each append locks this one row first: hence positions have no gaps, and the order of
-- positions is the order of commits.
CREATE TABLE gnomon.head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL DEFAULT 0,
    -- Positions up to here have a partition.
    partitioned_to bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

INSERT INTO gnomon.head DEFAULT VALUES;

-- The version of each stream, against which expected versions are checked.
CREATE TABLE gnomon.streams (
    stream text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    last_position bigint NOT NULL
) WITH (fillfactor = 80);

-- The types of events that the streams of each category have ever had, so that projections can say which they pass over. The
-- category is empty for streams whose names begin with `-`.
CREATE TABLE gnomon.event_types (
    category text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    PRIMARY KEY (category, type)
);

-- Partitioned so that old ranges of positions can leave the hot table one day. `json` keeps the writer's exact text.
CREATE TABLE gnomon.events (
    position bigint NOT NULL,
    version bigint NOT NULL,
    time timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    id uuid NOT NULL,
    schema_version integer NOT NULL,
    stream text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    data json NOT NULL,
    metadata json,
    PRIMARY KEY (position)
) PARTITION BY RANGE (position);

CREATE FUNCTION gnomon.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

-- Row triggers of a partitioned table are cloned onto its partitions; statement triggers are not, so `add_partition`
-- creates the one for TRUNCATE on each.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gnomon.events
    FOR EACH ROW EXECUTE FUNCTION gnomon.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON gnomon.events
    FOR EACH STATEMENT EXECUTE FUNCTION gnomon.refuse_change();

-- Adds the partition for positions first..last. The caller has locked the head row, so no two sessions do this at the same time.
CREATE FUNCTION gnomon.add_partition(first bigint, last bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'events_' || lpad(first::text, 12, '0');
BEGIN
    -- Created as a table and then attached: ATTACH does not block readers of the other partitions, CREATE ... PARTITION OF does.
    EXECUTE format('CREATE TABLE gnomon.%I (LIKE gnomon.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS, '
        'CHECK (position >= %s AND position <= %s))', partition, first, last);
    -- A unique index over all partitions would have to contain the position. Versions and ids are unique because appends hold the
    -- head row's lock; these indexes find them, and refuse duplicates within a partition if the program has an error.
    EXECUTE format('CREATE UNIQUE INDEX ON gnomon.%I (stream, version)', partition);
    EXECUTE format('CREATE UNIQUE INDEX ON gnomon.%I (id)', partition);
    EXECUTE format('ALTER TABLE gnomon.events ATTACH PARTITION gnomon.%I FOR VALUES FROM (%s) TO (%s)',
        partition, first, last + 1);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON gnomon.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION gnomon.refuse_change()', partition);
    UPDATE gnomon.head SET partitioned_to = last;
END
$$;

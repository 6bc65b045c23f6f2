-- Snapshots: the rows that the events of a stream have left, up to one of them. See docs/schema.md, "gnomon: snapshots".

-- A copy of what the events give, that may be deleted at any time.
CREATE TABLE gnomon.snapshots (
    -- The SHA-256 of the projection's and its upcasters' code: another version has snapshots of its own.
    lineage bytea NOT NULL,
    stream text COLLATE "C" NOT NULL,
    -- The event up to which the rows have the effect of every event. One of another log, before a restore, is not the same.
    version bigint NOT NULL CHECK (version > 0),
    position bigint NOT NULL,
    event uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- What it takes, about.
    bytes bigint NOT NULL,
    -- The SHA-256 of the event's columns and of the rows. Where it is another one, the snapshot is not used.
    digest bytea NOT NULL,
    -- The rows, in the form of host/src/read_model/encoded_rows.rs.
    contents bytea NOT NULL,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lineage, stream, version)
);

-- The dead letters of one stream, which its past does not count.
CREATE INDEX ON gnomon.dead_letters (subscription, stream, position);

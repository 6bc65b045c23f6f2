-- What operators do with projections and builds, and what becomes of events that a module cannot handle.
-- See docs/ARCHITECTURE.md, "Builds".

ALTER TABLE gnomon.projections
    -- What happens at an event that the module cannot handle.
    ADD COLUMN on_failure text NOT NULL DEFAULT 'halt' CHECK (on_failure IN ('halt', 'skip', 'park'));

ALTER TABLE gnomon.builds
    -- When queries began to read it, last, and when they turned to another. What was replaced is kept for a while.
    ADD COLUMN activated_at timestamptz,
    ADD COLUMN replaced_at timestamptz,
    -- The build that it was made to verify, with so many events at once; queries never read it.
    ADD COLUMN verifies bigint,
    ADD COLUMN verify_batch integer CHECK (verify_batch > 0),
    ADD CHECK ((verifies IS NULL) = (verify_batch IS NULL)),
    -- Whether its dead letters are to be tried again.
    ADD COLUMN retrying boolean NOT NULL DEFAULT false;

-- When the checkpoint moved last: a speed of long ago says nothing of now.
ALTER TABLE gnomon.build_progress ADD COLUMN committed_at timestamptz;

-- Events set aside: those that a module could not handle, and those that wait behind one of their stream.
CREATE TABLE gnomon.dead_letters (
    build bigint NOT NULL REFERENCES gnomon.builds (build) ON DELETE CASCADE,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    -- Whether later events of the stream wait behind it.
    parked boolean NOT NULL,
    -- What the module did; null for an event that only waits.
    error jsonb,
    set_aside_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (build, position)
);

CREATE INDEX ON gnomon.dead_letters (build, stream) WHERE parked;

-- Every change of state, with its time and cause. It outlives the builds that it tells of.
CREATE TABLE gnomon.history (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text COLLATE "C" NOT NULL,
    build bigint,
    change text NOT NULL,
    cause text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX ON gnomon.history (projection, entry);

-- The hosts that live, so that they share the builds.
CREATE TABLE gnomon.hosts (
    host integer PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

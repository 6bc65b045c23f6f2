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
    -- Which of its dead letters are to be tried again, if any are: those that nothing of their stream has overtaken, or all.
    ADD COLUMN retrying text CHECK (retrying IN ('in_order', 'all')),
    -- Those up to here have been tried.
    ADD COLUMN retried_to bigint NOT NULL DEFAULT 0,
    -- Dead letters that were folded after later events. From the first on, the rows are not what the log gives.
    ADD COLUMN out_of_order bigint NOT NULL DEFAULT 0,
    -- A build has an error while it is stopped by one, or while one keeps it from becoming the active build.
    ADD CHECK (error IS NULL OR status IN ('running', 'halted', 'failed'));

ALTER TABLE gnomon.build_progress
    -- When the checkpoint moved last: a speed of long ago says nothing of now.
    ADD COLUMN committed_at timestamptz,
    -- The batches that had events, the events of all of them, and those of the largest.
    ADD COLUMN batches bigint NOT NULL DEFAULT 0,
    ADD COLUMN batch_events bigint NOT NULL DEFAULT 0,
    ADD COLUMN largest_batch bigint NOT NULL DEFAULT 0;

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

-- What stands behind the checkpoint is yet to be folded. If it were set aside as well, it would be folded twice: once from
-- the log and once as a dead letter. The checkpoint moves first in each commit, so this sees where the commit ends.
CREATE FUNCTION gnomon.refuse_early_dead_letter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    early record;
BEGIN
    SELECT letter.build, letter.position, progress.checkpoint INTO early
    FROM added AS letter JOIN gnomon.build_progress AS progress USING (build)
    WHERE letter.position > progress.checkpoint LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the dead letter at position % of build % is beyond its checkpoint %', early.position, early.build,
            early.checkpoint USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER up_to_the_checkpoint AFTER INSERT ON gnomon.dead_letters REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION gnomon.refuse_early_dead_letter();

-- The other way round: a checkpoint never falls back, as what is set aside would be beyond it then.
CREATE FUNCTION gnomon.refuse_fallback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the checkpoint of build % falls back from % to %', OLD.build, OLD.checkpoint, NEW.checkpoint
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER forward_only BEFORE UPDATE OF checkpoint ON gnomon.build_progress
    FOR EACH ROW WHEN (NEW.checkpoint < OLD.checkpoint) EXECUTE FUNCTION gnomon.refuse_fallback();

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

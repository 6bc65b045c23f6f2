-- Consumers of the log: their leases, their checkpoints, and their dead letters. See docs/ARCHITECTURE.md, "Builds".

-- A consumer of the log. This table has the columns that change with each batch; those that seldom change are in other tables. The
-- host that works on a subscription holds its lease; the epoch counts the leases, and a commit under an older one changes nothing.
CREATE TABLE gnomon.subscriptions (
    subscription bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checkpoint bigint NOT NULL DEFAULT 0,
    events_per_second double precision NOT NULL DEFAULT 0,
    -- When the checkpoint moved last: events_per_second is out of date if that is long ago.
    committed_at timestamptz,
    -- The batches that had events, the events of all of them, and those of the largest.
    batches bigint NOT NULL DEFAULT 0,
    batch_events bigint NOT NULL DEFAULT 0,
    largest_batch bigint NOT NULL DEFAULT 0,
    lease_epoch bigint NOT NULL DEFAULT 0,
    lease_holder integer,
    leased_until timestamptz,
    -- No commit moves the checkpoint beyond the barrier before barrier_until. The host that set it prolongs it; if that host dies, it
    -- expires.
    barrier_at bigint,
    barrier_until timestamptz,
    -- Which dead letters are to be tried again, if any are: those that no later event of their stream has overtaken, or all. Those
    -- up to retried_to have been tried.
    retrying text CHECK (retrying IN ('in_order', 'all')),
    retried_to bigint NOT NULL DEFAULT 0,
    -- The number of dead letters that were folded after later events.
    out_of_order bigint NOT NULL DEFAULT 0,
    CHECK ((barrier_at IS NULL) = (barrier_until IS NULL))
) WITH (fillfactor = 30);

-- How many events of each type a subscription has handled: moved together with its checkpoint.
CREATE TABLE gnomon.handled_events (
    subscription bigint NOT NULL REFERENCES gnomon.subscriptions (subscription) ON DELETE CASCADE,
    type text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (subscription, type)
) WITH (fillfactor = 50);

-- A checkpoint never falls back: dead letters would then be beyond it.
CREATE FUNCTION gnomon.refuse_fallback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the checkpoint of subscription % falls back from % to %', OLD.subscription, OLD.checkpoint, NEW.checkpoint
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER forward_only BEFORE UPDATE OF checkpoint ON gnomon.subscriptions
    FOR EACH ROW WHEN (NEW.checkpoint < OLD.checkpoint) EXECUTE FUNCTION gnomon.refuse_fallback();

-- Dead letters: events that a module could not handle, and events that wait behind one of their stream.
CREATE TABLE gnomon.dead_letters (
    subscription bigint NOT NULL REFERENCES gnomon.subscriptions (subscription) ON DELETE CASCADE,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    -- Whether later events of the stream wait behind it.
    parked boolean NOT NULL,
    -- What the module did; null if the event only waits.
    error jsonb,
    set_aside_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subscription, position)
);

CREATE INDEX ON gnomon.dead_letters (subscription, stream) WHERE parked;

-- Events behind the checkpoint are still to be folded. If one of them were set aside as well, it would be folded twice: once from
-- the log and once as a dead letter. Each commit moves the checkpoint first, so this trigger sees the checkpoint of the commit.
CREATE FUNCTION gnomon.refuse_early_dead_letter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    early record;
BEGIN
    SELECT letter.subscription, letter.position, checkpoint INTO early
    FROM added AS letter JOIN gnomon.subscriptions USING (subscription)
    WHERE letter.position > checkpoint LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the dead letter at position % of subscription % is beyond its checkpoint %', early.position,
            early.subscription, early.checkpoint USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER up_to_the_checkpoint AFTER INSERT ON gnomon.dead_letters REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION gnomon.refuse_early_dead_letter();

-- The hosts that are alive, so that they share the subscriptions.
CREATE TABLE gnomon.hosts (
    host integer PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

-- Messages that reactors send, and where they go. See docs/outbox.md.

-- A place that messages go to.
CREATE TABLE gnomon.sinks (
    sink text COLLATE "C" PRIMARY KEY,
    -- JSON, as the host reads it: the kind, the address, references to secrets, and never a secret.
    settings text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- The messages. One is written in the transaction of the batch that it comes from, and so is there exactly if the batch is.
CREATE TABLE gnomon.outbox (
    -- In the order of a reactor: the holder of its lease writes one batch after the other.
    message bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What the sink knows it by: the same with each try.
    id uuid NOT NULL UNIQUE,
    reactor text COLLATE "C" NOT NULL,
    -- A sink that need not be there yet, or any more: then the message waits.
    sink text COLLATE "C" NOT NULL,
    -- The stream of the event that the message comes from. Messages of one reactor, sink and key are sent one after the other.
    key text COLLATE "C" NOT NULL,
    -- Of a call: the name under which its answer comes back. Null for a message that is published.
    call text,
    -- The event, and which of its effects.
    position bigint NOT NULL,
    number integer NOT NULL,
    type text COLLATE "C" NOT NULL,
    subject text,
    data json NOT NULL,
    -- The time of the event.
    time timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    -- Tries that have ended.
    tries integer NOT NULL DEFAULT 0,
    -- Of the last try; null after one that succeeded.
    error text,
    enqueued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    CHECK ((state = 'pending') = (done_at IS NULL))
);

-- The first that waits behind a key.
CREATE INDEX ON gnomon.outbox (sink, reactor, key, message) WHERE state = 'pending';
-- How many wait for a sink, and since when.
CREATE INDEX ON gnomon.outbox (sink, message) WHERE state = 'pending';
CREATE INDEX ON gnomon.outbox (message) WHERE state = 'failed';
-- Those that were kept for long enough.
CREATE INDEX ON gnomon.outbox (done_at) WHERE state = 'delivered';

-- The keys behind which messages wait: one row for all that are pending with one reactor, sink and key. Who sends the first of them has claimed the
-- row, by moving `due_at` to when the claim ends, under an id that nobody else has. Without pending messages there is no row: a transaction that
-- adds a message locks the row, and so does one that finds that there are no more.
CREATE TABLE gnomon.outbox_keys (
    sink text COLLATE "C" NOT NULL,
    reactor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    -- When the first message is to be sent: now, after a pause, or when the claim has ended without a result.
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claim uuid,
    PRIMARY KEY (sink, reactor, key)
) WITH (fillfactor = 50);

CREATE INDEX ON gnomon.outbox_keys (sink, due_at);

-- How far the sinks that get the log have published it. The stream itself says it as well; this is for those who look, and for a stream whose last
-- message was removed.
CREATE TABLE gnomon.publications (
    sink text COLLATE "C" PRIMARY KEY REFERENCES gnomon.sinks (sink) ON DELETE CASCADE,
    position bigint NOT NULL DEFAULT 0,
    -- The number of that event's message in the stream.
    sequence bigint NOT NULL DEFAULT 0,
    error text,
    -- The host that publishes, an id of its own, and until when.
    lease uuid NOT NULL,
    leased_until timestamptz NOT NULL
);

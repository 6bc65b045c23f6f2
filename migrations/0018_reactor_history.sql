-- The history of reactors and of sinks, beside that of projections; and the traces that messages belong to.

-- An entry is of one projection, one reactor or one sink.
ALTER TABLE gnomon.history
    ALTER COLUMN projection DROP NOT NULL,
    ADD COLUMN reactor text COLLATE "C",
    -- The version of the reactor that works then.
    ADD COLUMN version integer,
    ADD COLUMN sink text COLLATE "C",
    -- The message that an operator has sent again or dropped; null if it was the sink as a whole.
    ADD COLUMN message uuid,
    ADD CONSTRAINT history_of_one CHECK (num_nonnulls(projection, reactor, sink) = 1);

CREATE INDEX ON gnomon.history (reactor, entry) WHERE reactor IS NOT NULL;
CREATE INDEX ON gnomon.history (sink, entry) WHERE sink IS NOT NULL;

-- The trace of the append that brought the event that the message comes from, as W3C's `traceparent` says it; null if that had none.
ALTER TABLE gnomon.outbox ADD COLUMN traceparent text;

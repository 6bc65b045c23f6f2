-- Calls that have failed are kept as long as those that were delivered: their reactors were told.
DROP INDEX gnomon.outbox_done_at_idx;
CREATE INDEX ON gnomon.outbox (done_at) WHERE state = 'delivered' OR state = 'failed' AND call IS NOT NULL;

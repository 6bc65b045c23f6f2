-- What tells a log from another one, and from itself before a restore. See docs/schema.md, "gnomon: the log".

ALTER TABLE gnomon.head
    -- Made with the log. A dump has it, too.
    ADD COLUMN log_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- The stamp of the newest event. No later event is stamped before it, whatever Postgres' clock says.
    ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT '-infinity';

UPDATE gnomon.head
SET recorded_at = coalesce((SELECT max(recorded_at) FROM gnomon.events WHERE events.position = head.position), '-infinity');

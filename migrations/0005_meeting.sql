-- Where two builds are to stand at one position for a moment, so that one snapshot holds both there. See docs/ARCHITECTURE.md,
-- "Walk: two builds are compared".

ALTER TABLE gnomon.build_progress
    -- No commit moves the checkpoint beyond this position …
    ADD COLUMN meet_at bigint,
    -- … until then. Whoever called the meeting prolongs it; if he dies, it lapses.
    ADD COLUMN meet_until timestamptz,
    ADD CHECK ((meet_at IS NULL) = (meet_until IS NULL));

-- Past builds: what a read model was at a position of the log, made when somebody asks for it. See docs/ARCHITECTURE.md, "A build is a state
-- machine".

-- Past builds are numbered over all projections. They leave no row behind, so a sequence keeps a number from being given twice.
CREATE SEQUENCE gnomon.past_builds;

ALTER TABLE gnomon.builds
    -- The position where a past build ends; null for all others. It has folded every event up to it, and folds none behind.
    ADD COLUMN stop_at bigint CHECK (stop_at >= 0),
    -- When somebody last asked for a past build, up to a minute earlier than that. It is kept for a while from then on.
    ADD COLUMN asked_at timestamptz,
    DROP CONSTRAINT builds_role_check,
    ADD CONSTRAINT builds_role_check CHECK (role IN ('candidate', 'active', 'replaced', 'verifier', 'past')),
    DROP CONSTRAINT builds_work_check,
    ADD CONSTRAINT builds_work_check CHECK (work IN ('running', 'paused', 'halted', 'failed', 'finished')),
    ADD CONSTRAINT builds_past_check CHECK ((role = 'past') = (stop_at IS NOT NULL)),
    ADD CONSTRAINT builds_past_asked_check CHECK ((stop_at IS NULL) = (asked_at IS NULL)),
    ADD CONSTRAINT builds_past_activation_check CHECK (role <> 'past' OR activation = 'manual'),
    ADD CONSTRAINT builds_past_work_check CHECK (role <> 'past' OR work <> 'paused'),
    -- Only a past build ends, and it has its indexes exactly then.
    ADD CONSTRAINT builds_finished_check CHECK ((work = 'finished') = (role = 'past' AND stage = 'live')),
    -- It is deleted when it is no longer needed.
    ADD CONSTRAINT builds_past_kept_check CHECK (stop_at IS NULL OR role IS NOT NULL);

DROP INDEX gnomon.one_build_of_a_number;

CREATE UNIQUE INDEX one_build_of_a_number ON gnomon.builds (projection, (verifies IS NOT NULL), number) WHERE stop_at IS NULL;

-- However many hosts are asked for it at once.
CREATE UNIQUE INDEX one_past_build ON gnomon.builds (projection, version, upcasters, stop_at) WHERE stop_at IS NOT NULL;

CREATE UNIQUE INDEX one_past_build_of_a_number ON gnomon.builds (number) WHERE stop_at IS NOT NULL;

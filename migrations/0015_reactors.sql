-- Reactors: modules that answer events with effects. See docs/ARCHITECTURE.md, "Reactors".

ALTER TABLE gnomon.modules
    DROP CONSTRAINT modules_kind_check,
    ADD CONSTRAINT modules_kind_check CHECK (kind IN ('projection', 'upcaster', 'reactor'));

-- A reactor has the subscription of the same key, and its own rows in the schema reactor_<reactor>. It is never replayed: another version goes on
-- where the one before stopped.
CREATE TABLE gnomon.reactors (
    reactor bigint PRIMARY KEY REFERENCES gnomon.subscriptions (subscription) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL UNIQUE REFERENCES gnomon.modules (name),
    -- The version that works.
    version integer NOT NULL,
    -- The ids of all that it does are made of this one, so that what is done again is found. A reactor that is deleted and deployed again has another.
    lineage uuid NOT NULL DEFAULT gen_random_uuid(),
    -- The upcasters that its events go through, those that were active when its version was activated: `[["name", 1]]`.
    upcasters jsonb NOT NULL DEFAULT '[]',
    -- The position behind which it began.
    began_after bigint NOT NULL CHECK (began_after >= 0),
    -- The tables in its schema as descriptors declare them: those of its version, and what earlier versions have left there.
    tables jsonb NOT NULL,
    on_failure text NOT NULL DEFAULT 'halt' CHECK (on_failure IN ('halt', 'skip', 'park')),
    -- Its state, which host/src/reactors/state.rs describes.
    work text NOT NULL DEFAULT 'running' CHECK (work IN ('running', 'paused', 'halted', 'failed')),
    -- Why it stopped.
    error jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When its version was activated.
    activated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (name, version) REFERENCES gnomon.module_versions (module, version),
    CHECK ((error IS NOT NULL) = (work IN ('halted', 'failed')))
);

-- What reactors want to hear at a time: one event each, which is appended when it is due, in the transaction that deletes the row.
CREATE TABLE gnomon.schedules (
    reactor bigint NOT NULL REFERENCES gnomon.reactors (reactor) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    due_at timestamptz NOT NULL,
    -- JSON, which the event carries.
    data json NOT NULL,
    -- The event that it answers, and which of its effects it is: the id of the event that is appended is made of these.
    position bigint NOT NULL,
    number integer NOT NULL,
    PRIMARY KEY (reactor, name)
);

CREATE INDEX ON gnomon.schedules (reactor, due_at);

-- Projections, their builds, and the upcasters. See docs/ARCHITECTURE.md, "Builds".

CREATE TABLE gnomon.projections (
    name text COLLATE "C" PRIMARY KEY REFERENCES gnomon.modules (name),
    -- What happens at an event that the module cannot handle.
    on_failure text NOT NULL DEFAULT 'halt' CHECK (on_failure IN ('halt', 'skip', 'park'))
);

-- A build is one materialisation of a version: its tables are in schema build_<build>. It has the subscription of the same key.
CREATE TABLE gnomon.builds (
    build bigint PRIMARY KEY REFERENCES gnomon.subscriptions (subscription) ON DELETE CASCADE,
    -- The number by which people know it: 1, 2, 3 … within its projection. Builds that verify another one are counted on their own.
    number bigint NOT NULL CHECK (number > 0),
    projection text COLLATE "C" NOT NULL REFERENCES gnomon.projections (name),
    version integer NOT NULL,
    -- Names and versions of the upcasters that were active when it was started, by name: `[{"name": "…", "version": 1}]`.
    upcasters jsonb NOT NULL DEFAULT '[]',
    -- Its state, in four columns that host/src/builds/state.rs describes; all null once it is retired.
    stage text CHECK (stage IN ('replaying', 'live')),
    work text CHECK (work IN ('running', 'paused', 'halted', 'failed')),
    role text CHECK (role IN ('candidate', 'active', 'replaced', 'verifier')),
    activation text CHECK (activation IN ('auto', 'manual')),
    -- Why it stopped, or could not be activated.
    error jsonb,
    -- The key of the build that it was made to verify, and the size of its largest batch.
    verifies bigint,
    verify_batch integer CHECK (verify_batch > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it became the active one for the last time, and when another one did. A replaced build is kept for a while.
    activated_at timestamptz,
    replaced_at timestamptz,
    FOREIGN KEY (projection, version) REFERENCES gnomon.module_versions (module, version),
    CHECK (num_nulls(stage, work, role, activation) IN (0, 4)),
    CHECK (role <> 'active' OR (stage = 'live' AND activation = 'manual')),
    CHECK (role <> 'replaced' OR stage = 'live'),
    CHECK (role <> 'verifier' OR activation = 'manual'),
    CHECK ((verifies IS NULL) = (verify_batch IS NULL)),
    CHECK ((role = 'verifier') = (verifies IS NOT NULL)),
    CHECK (error IS NULL OR work IN ('running', 'halted', 'failed'))
);

CREATE INDEX ON gnomon.builds (projection, build);

CREATE UNIQUE INDEX one_build_of_a_number ON gnomon.builds (projection, (verifies IS NOT NULL), number);

-- The build that queries read: one, if any.
CREATE UNIQUE INDEX one_active_build ON gnomon.builds (projection) WHERE role = 'active';

-- The upcasters that are active.
CREATE TABLE gnomon.upcasters (
    name text COLLATE "C" PRIMARY KEY REFERENCES gnomon.modules (name),
    active_version integer NOT NULL,
    FOREIGN KEY (name, active_version) REFERENCES gnomon.module_versions (module, version)
);

-- Every change of state, with its time and cause. Entries stay when their builds are deleted, and their numbers are not given again.
CREATE TABLE gnomon.history (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text COLLATE "C" NOT NULL,
    -- The number of the build or of the verification that changed; both null if it was the projection as a whole.
    build bigint,
    verification bigint,
    change text NOT NULL,
    cause text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (num_nonnulls(build, verification) <= 1)
);

CREATE INDEX ON gnomon.history (projection, entry);

-- The schema `read_models`, with the views on the active builds' tables, is made by host/src/postgres/migrate.rs.

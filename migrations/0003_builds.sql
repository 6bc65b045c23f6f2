-- Projections and their builds. See docs/ARCHITECTURE.md, "Builds".

CREATE TABLE gnomon.projections (
    name text COLLATE "C" PRIMARY KEY REFERENCES gnomon.modules (name),
    -- The build that queries read. Changed in one transaction with the views.
    active_build bigint
);

-- A build is one materialisation of a version: its tables stand in schema build_<build>.
CREATE TABLE gnomon.builds (
    build bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text COLLATE "C" NOT NULL REFERENCES gnomon.projections (name),
    version integer NOT NULL,
    -- How far it is: filled from the first event on, without indexes; or caught up once, with them.
    phase text NOT NULL DEFAULT 'replaying' CHECK (phase IN ('replaying', 'live')),
    -- Whether it is worked on.
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'paused', 'halted', 'failed', 'retired')),
    -- Whether it becomes the active build by itself when it has caught up. Taken back once it has been active.
    activate_when_live boolean NOT NULL,
    -- Why it is halted or failed.
    error jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (projection, version) REFERENCES gnomon.module_versions (module, version)
);

ALTER TABLE gnomon.projections ADD FOREIGN KEY (active_build) REFERENCES gnomon.builds (build);

-- What changes with each batch, kept apart from what seldom does. The host that works on a build holds its lease; the epoch
-- counts the leases, and a commit that bears an older one changes nothing.
CREATE TABLE gnomon.build_progress (
    build bigint PRIMARY KEY REFERENCES gnomon.builds (build) ON DELETE CASCADE,
    checkpoint bigint NOT NULL DEFAULT 0,
    events_per_second double precision NOT NULL DEFAULT 0,
    lease_epoch bigint NOT NULL DEFAULT 0,
    lease_holder integer,
    leased_until timestamptz
) WITH (fillfactor = 30);

-- The views on the active builds' tables, for SQL users.
CREATE SCHEMA read_models;

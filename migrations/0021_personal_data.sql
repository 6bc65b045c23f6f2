-- Personal data of events, and who was forgotten. The keys are not here: see docs/personal-data.md.

-- Which fields of the events of a type are encrypted when they are appended.
CREATE TABLE gnomon.personal_data (
    event_type text COLLATE "C" PRIMARY KEY,
    -- Whose they are, the fields, and what readers see of one that is forgotten, as host/src/personal_data/declaration.rs writes it.
    declaration json NOT NULL,
    -- No event up to this position is encrypted.
    after bigint NOT NULL,
    declared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When anything was declared of the type for the first time. Hosts encrypt when all of them must know of it, or one that does not would read what another one has
    -- encrypted as it is.
    known_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- From behind this position on, every event is encrypted as declared; null while there may be hosts that do not know of it yet.
    since bigint,
    -- When it was removed. Events that are encrypted stay encrypted, and are read as before.
    removed_at timestamptz
);

-- Who was forgotten, without a name: the keys that were destroyed.
CREATE TABLE gnomon.forgettings (
    forgetting bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    keys uuid[] NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When the keys were destroyed. Hosts may read with them for some seconds longer.
    destroyed_at timestamptz,
    -- From when on no host has read with them. Builds that were begun before may have rows of what is forgotten.
    effective_at timestamptz CHECK (effective_at > destroyed_at),
    -- When no such build was left.
    finished_at timestamptz CHECK (finished_at >= effective_at),
    -- Who asked for it, from where, and by which request.
    actor text,
    address text,
    request_id text
);

CREATE INDEX ON gnomon.forgettings (forgetting) WHERE finished_at IS NULL;

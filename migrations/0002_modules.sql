-- The modules that users uploaded. See docs/ARCHITECTURE.md, "Modules".

CREATE TABLE gnomon.modules (
    name text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('projection', 'upcaster')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Each upload that differs is the next version: 1, 2, 3 …
CREATE TABLE gnomon.module_versions (
    module text COLLATE "C" NOT NULL REFERENCES gnomon.modules (name),
    version integer NOT NULL CHECK (version > 0),
    digest text NOT NULL,
    descriptor jsonb NOT NULL,
    component bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (module, version),
    UNIQUE (module, digest)
);

-- Components do not compress well, and are always read as a whole.
ALTER TABLE gnomon.module_versions ALTER COLUMN component SET STORAGE EXTERNAL;

-- Who may do what, and who did it. See docs/access.md.

-- The tokens that hosts know. What a client sends is not here: only its hash is, of which a token of 256 random bits cannot be found.
CREATE TABLE gnomon.tokens (
    token bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    -- SHA-256 of the whole token.
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    -- What it may do, each as in `append=account,order*`.
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    -- Null: never.
    expires_at timestamptz,
    -- Written once a minute at most.
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text
);

-- A name is free again when its token is revoked.
CREATE UNIQUE INDEX ON gnomon.tokens (name) WHERE revoked_at IS NULL;

-- Who made a change: null for the host itself, and for what was done before there was authentication.
ALTER TABLE gnomon.history ADD COLUMN actor text, ADD COLUMN address text, ADD COLUMN request_id text;

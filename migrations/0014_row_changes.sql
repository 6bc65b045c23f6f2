-- The rows that commits change, for live queries. See docs/ARCHITECTURE.md, "Live queries".

-- Until when some host follows the rows of the build: while it does, commits note which rows they change. Hosts with followers prolong it.
ALTER TABLE gnomon.subscriptions ADD COLUMN followed_until timestamptz;
-- What `contents` was before the last commit that changed it.
ALTER TABLE gnomon.subscriptions ADD COLUMN contents_before uuid;

-- The keys of the rows that a commit has written or deleted. A commit may note nothing: since nobody follows, since it changes too many rows, or since
-- it is one of an earlier release. Then no row here leads from the contents before it to those after it, and whoever follows reads all rows again.
-- Old rows are removed by later commits, and by hosts when they are an hour old.
CREATE TABLE gnomon.row_changes (
    build bigint NOT NULL REFERENCES gnomon.subscriptions (subscription) ON DELETE CASCADE,
    -- In the order of commits of a build: each has the subscription's row locked when it gets its number.
    change bigint GENERATED ALWAYS AS IDENTITY,
    -- The checkpoint of the build after the commit.
    position bigint NOT NULL,
    -- The contents of the build before the commit, and after it.
    contents_before uuid NOT NULL,
    contents uuid NOT NULL,
    -- For each table the keys, each a list of texts, one for each column of the key. JSON, as the host reads it.
    keys text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (build, change)
);

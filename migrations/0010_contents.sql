-- Which rows the tables of a subscription's build have, for the cache of answers. See docs/ARCHITECTURE.md, "Builds".

-- Another one with each commit that may change rows, in the statement that moves the checkpoint. A random one is never given twice, also not
-- after a restore: so equal ones mean equal rows, however the database came to them.
ALTER TABLE gnomon.subscriptions ADD COLUMN contents uuid NOT NULL DEFAULT gen_random_uuid();

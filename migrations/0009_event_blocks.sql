-- Which blocks of the log have events of which types and categories. See docs/ARCHITECTURE.md, "The log".

-- Nobody appends until this is committed; who only reads the head may do so.
LOCK TABLE gnomon.head IN EXCLUSIVE MODE;

-- A block is 256 positions, a span 64 blocks: a position is in span `position >> 14`, and there in block `(position >> 8) & 63`, counted from 0.
--
-- A row is a type of events, or a category of streams, and a span in which it has events: bit `1 << block` is set for each block that has. It
-- may be set for others, and is never missing: readers pass over the blocks without it. The name '' is set where a span has more names than
-- are noted: there any name may be. That streams have no category is not noted.
CREATE TABLE gnomon.event_blocks (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('type', 'category')),
    name text COLLATE "C" NOT NULL,
    span bigint NOT NULL,
    blocks bigint NOT NULL,
    PRIMARY KEY (kind, name, span)
    -- The newest span changes with each new block: there is room for that in the page.
) WITH (fillfactor = 50);

CREATE TRIGGER append_only BEFORE DELETE ON gnomon.event_blocks
    FOR EACH ROW EXECUTE FUNCTION gnomon.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON gnomon.event_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION gnomon.refuse_change();

-- Notes the blocks of the events at the positions low < p <= high.
CREATE FUNCTION gnomon.note_blocks(low bigint, high bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO gnomon.event_blocks AS known (kind, name, span, blocks)
    SELECT named.kind, named.name, position >> 14, bit_or(1::bigint << ((position >> 8) & 63)::integer)
    FROM gnomon.events, LATERAL (VALUES ('type', type), ('category', split_part(stream, '-', 1))) AS named (kind, name)
    WHERE position > low AND position <= high AND named.name <> ''
    GROUP BY 1, 2, 3
    ON CONFLICT (kind, name, span) DO UPDATE SET blocks = known.blocks | excluded.blocks
$$;

SELECT gnomon.note_blocks(0, (SELECT position FROM gnomon.head));

-- The blocks of events up to here are noted. Each append notes those of its own events, and says so.
ALTER TABLE gnomon.head ADD COLUMN blocks_to bigint NOT NULL DEFAULT 0;
UPDATE gnomon.head SET blocks_to = position;

-- An append that does not say so is of a host from before this migration, which may still run. Postgres notes its blocks.
CREATE FUNCTION gnomon.note_missed_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gnomon.note_blocks(OLD.position, NEW.position);
    UPDATE gnomon.head SET blocks_to = NEW.position WHERE position = NEW.position;
    RETURN NULL;
END
$$;

-- Deferred, since the events may be written after the head.
CREATE CONSTRAINT TRIGGER note_missed_blocks AFTER UPDATE OF position ON gnomon.head DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.blocks_to <> NEW.position) EXECUTE FUNCTION gnomon.note_missed_blocks();

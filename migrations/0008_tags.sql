-- Tags of events, and where they are. See docs/ARCHITECTURE.md, "The log".

-- The tags of the event; null if it has none.
ALTER TABLE gnomon.events ADD COLUMN tags text[] COLLATE "C";

-- The positions of each tag. A table beside the events: a btree keeps the positions of a tag in order, so what comes after a position is
-- found at once, however many events have the tag (docs/PERFORMANCE.md compares it with GIN).
CREATE TABLE gnomon.event_tags (
    tag text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tag, position)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gnomon.event_tags
    FOR EACH ROW EXECUTE FUNCTION gnomon.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON gnomon.event_tags
    FOR EACH STATEMENT EXECUTE FUNCTION gnomon.refuse_change();

-- The positions low < p <= high whose events have all of these tags: at most `most`, ascending, or descending if `backward`.
--
-- Several tags are searched in turns: each leaps to its first position that is not before the candidate, until all have the same one. So
-- where a tag is rare, that decides what a search costs. Where after `leaps` leaps there is no end, all tags are frequent, and reading all
-- their positions is faster: it is done for the next 1,000 positions for each leap, divided by the tags. The search then ends with a row
-- that is not a match: the next candidate, before which there are no more matches than those returned.
CREATE FUNCTION gnomon.tagged(tags text[], low bigint, high bigint, backward boolean, most integer, leaps integer)
RETURNS TABLE (found_at bigint, is_match boolean) LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted CONSTANT integer := cardinality(tags);
    candidate bigint := CASE WHEN backward THEN high ELSE low + 1 END;
    nearest bigint;
    agreed integer := 0;
    turn integer := 1;
    missing integer := most;
    window_end bigint;
BEGIN
    IF wanted = 1 AND backward THEN
        RETURN QUERY SELECT position, true FROM gnomon.event_tags
            WHERE tag = tags[1] AND position > low AND position <= high ORDER BY position DESC LIMIT most;
        RETURN;
    ELSIF wanted = 1 THEN
        RETURN QUERY SELECT position, true FROM gnomon.event_tags
            WHERE tag = tags[1] AND position > low AND position <= high ORDER BY position LIMIT most;
        RETURN;
    END IF;
    FOR leap IN 1..leaps LOOP
        IF backward THEN
            SELECT position INTO nearest FROM gnomon.event_tags
                WHERE tag = tags[turn] AND position > low AND position <= candidate ORDER BY position DESC LIMIT 1;
        ELSE
            SELECT position INTO nearest FROM gnomon.event_tags
                WHERE tag = tags[turn] AND position >= candidate AND position <= high ORDER BY position LIMIT 1;
        END IF;
        IF nearest IS NULL THEN
            RETURN;
        ELSIF nearest = candidate THEN
            agreed := agreed + 1;
        ELSE
            candidate := nearest;
            agreed := 1;
        END IF;
        IF agreed = wanted THEN
            found_at := candidate;
            is_match := true;
            RETURN NEXT;
            missing := missing - 1;
            IF missing = 0 THEN
                RETURN;
            END IF;
            candidate := candidate + CASE WHEN backward THEN -1 ELSE 1 END;
            agreed := 0;
        END IF;
        turn := turn % wanted + 1;
    END LOOP;
    -- The other way than the leaps: in ranges, in which the rows of all tags are read in the order of their index.
    IF backward THEN
        window_end := greatest(low, candidate - leaps * 1000 / wanted);
        RETURN QUERY SELECT position, true FROM gnomon.event_tags
            WHERE tag = ANY (tags) AND position > window_end AND position <= candidate
            GROUP BY position HAVING count(*) = wanted ORDER BY position DESC LIMIT missing;
        found_at := window_end;
        is_match := false;
        IF window_end > low THEN
            RETURN NEXT;
        END IF;
    ELSE
        window_end := least(high, candidate + leaps * 1000 / wanted);
        RETURN QUERY SELECT position, true FROM gnomon.event_tags
            WHERE tag = ANY (tags) AND position >= candidate AND position <= window_end
            GROUP BY position HAVING count(*) = wanted ORDER BY position LIMIT missing;
        found_at := window_end + 1;
        is_match := false;
        IF window_end < high THEN
            RETURN NEXT;
        END IF;
    END IF;
END
$$;

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

-- The positions low < p <= high whose events have all of these tags, each of which is named once: at most `most`, ascending, or descending
-- if `backward`.
--
-- Of several tags, the one that is rarest where the search begins is read, and for each of its positions the others are looked up. After
-- `effort` positions of that tag the search ends, with a row that is not a match: forward, there is no other match before it; backward,
-- none after it. With one tag there is no such end.
CREATE FUNCTION gnomon.tagged(tags text[], low bigint, high bigint, backward boolean, most integer, effort integer)
RETURNS TABLE (found_at bigint, is_match boolean) LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted CONSTANT integer := cardinality(tags);
    rarest text := tags[1];
    -- How far the search goes.
    reach bigint := CASE WHEN backward THEN low ELSE high END;
BEGIN
    IF backward THEN
        IF wanted > 1 THEN
            SELECT candidate, coalesce(last.position - 1, low) INTO rarest, reach
            FROM unnest(tags) AS candidate LEFT JOIN LATERAL (
                SELECT position FROM gnomon.event_tags WHERE tag = candidate AND position > low AND position <= high
                ORDER BY position DESC OFFSET effort - 1 LIMIT 1
            ) AS last ON true
            ORDER BY 2 LIMIT 1;
        END IF;
        RETURN QUERY SELECT position, true FROM gnomon.event_tags AS rare
            WHERE tag = rarest AND position > reach AND position <= high AND (wanted = 1 OR wanted = (
                SELECT count(*) FROM gnomon.event_tags AS every
                WHERE every.tag = ANY (tags) AND every.position = rare.position
            ))
            ORDER BY position DESC LIMIT most;
        IF reach > low THEN
            RETURN QUERY SELECT reach, false;
        END IF;
    ELSE
        IF wanted > 1 THEN
            SELECT candidate, coalesce(last.position, high) INTO rarest, reach
            FROM unnest(tags) AS candidate LEFT JOIN LATERAL (
                SELECT position FROM gnomon.event_tags WHERE tag = candidate AND position > low AND position <= high
                ORDER BY position OFFSET effort - 1 LIMIT 1
            ) AS last ON true
            ORDER BY 2 DESC LIMIT 1;
        END IF;
        RETURN QUERY SELECT position, true FROM gnomon.event_tags AS rare
            WHERE tag = rarest AND position > low AND position <= reach AND (wanted = 1 OR wanted = (
                SELECT count(*) FROM gnomon.event_tags AS every
                WHERE every.tag = ANY (tags) AND every.position = rare.position
            ))
            ORDER BY position LIMIT most;
        IF reach < high THEN
            RETURN QUERY SELECT reach + 1, false;
        END IF;
    END IF;
END
$$;

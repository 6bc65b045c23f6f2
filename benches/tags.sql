-- Events for benches/tags: a function of their positions, so that all databases have the same ones.

-- Each event has two tags: a course, and what it does to it. A course has about 100 events in 10,000,000, a student about 10; every tenth
-- event has the tag `campus:main` in the place of a student, and every tenth `campus:north`. They are spread evenly over the log.
CREATE FUNCTION made(first bigint, last bigint, courses bigint)
RETURNS TABLE ("position" bigint, "time" timestamptz, id uuid, stream text, type text, data json, tags text[]) LANGUAGE sql STABLE AS $$
    SELECT position,
        '2026-01-01'::timestamptz + position * interval '10 ms',
        -- As UUIDv7, which grow with time.
        (lpad(to_hex(position), 12, '0') || '70008' || left(md5(position::text), 15))::uuid,
        'course-c' || course,
        (ARRAY['StudentTransferred', 'SeatReserved', 'StudentSubscribed', 'StudentUnsubscribed', 'StudentSubscribed',
            'CapacityChanged', 'StudentSubscribed', 'CourseRenamed', 'StudentSubscribed', 'StudentSubscribed'])[kind + 1],
        format('{"seat": %s, "reference": "ref-%s", "channel": "mobile"}', position % 1000, lpad(position::text, 16, '0'))::json,
        ARRAY['course:c' || course,
            CASE kind WHEN 0 THEN 'campus:main' WHEN 1 THEN 'campus:north' ELSE 'student:s' || student END]
    FROM generate_series(first, last) AS position,
        LATERAL (SELECT (hashint8extended(position, 1) & 2147483647) % courses AS course,
            (hashint8extended(position, 2) & 2147483647) % (10 * courses) AS student,
            (hashint8extended(position, 3) & 2147483647) % 10 AS kind) AS drawn
$$;

-- The positions of a search by all of these tags, in as many calls of `gnomon.tagged` as a host makes for them.
CREATE FUNCTION searched(tags text[], after bigint, head bigint, most integer) RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    called record;
    low bigint := after;
    room integer := most;
BEGIN
    WHILE low < head AND room > 0 LOOP
        SELECT array_agg(found_at) FILTER (WHERE is_match) AS matches, min(found_at) FILTER (WHERE NOT is_match) - 1 AS ends_at INTO called
            FROM gnomon.tagged(tags, low, head, false, room, 2048);
        RETURN QUERY SELECT unnest(called.matches);
        room := room - coalesce(cardinality(called.matches), 0);
        low := coalesce(called.ends_at, head);
    END LOOP;
END
$$;

-- The collation of case-insensitive columns: é and É are equal, é and e are not. A Postgres that is built without ICU has no such
-- collation, and refuses the tables that need it.
DO $$
BEGIN
    CREATE COLLATION gnomon.case_insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION
    WHEN feature_not_supported THEN
        RAISE WARNING 'this Postgres is built without ICU, so projections cannot have case-insensitive columns';
END
$$;

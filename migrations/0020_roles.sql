-- Hosts that do not own the schema. See docs/roles.md.

-- A partition is made by the owner of the log, also for a host that may only append to it. No name is looked up anywhere else.
ALTER FUNCTION gnomon.add_partition(bigint, bigint) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE EXECUTE ON FUNCTION gnomon.add_partition(bigint, bigint) FROM PUBLIC;

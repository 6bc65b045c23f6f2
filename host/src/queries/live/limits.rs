//! What live queries may take.

use std::time::Duration;

/// The most bytes of the rows of a live query, as they are sent when it begins.
pub const MAX_LIVE_BYTES: usize = 8 * 1024 * 1024;
/// The most rows that all live queries of a host know, together.
pub const MAX_LIVE_ROWS_IN_SUM: usize = 1_000_000;
/// The most live queries of one projection that differ, on one host.
pub const MAX_LIVE_QUERIES: usize = 1_000;
/// The bytes that may wait for one follower, beside the rows that a live query begins with.
pub const MAX_WAITING_BYTES: usize = 1024 * 1024;
/// The bytes that may wait for all followers of a host.
pub const MAX_WAITING_BYTES_IN_SUM: usize = 64 * 1024 * 1024;
/// The most changed rows that one look reads one by one. Of more, the queries are read again.
pub const MAX_CHANGED_ROWS: usize = 5_000;
/// How often a query that cannot be followed by its changed rows is read again, at most.
pub(super) const REREAD_EVERY: Duration = Duration::from_millis(250);
/// For how long a look reads whole queries. What has changed for the others is looked at in between.
pub(super) const READ_FOR: Duration = Duration::from_millis(250);
/// For how long a statement of a live query may run.
pub const LIVE_STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often followers are told how far they are, where no row of theirs has changed and others have.
pub(super) const POSITION_EVERY: Duration = Duration::from_secs(5);
/// The queries of one statement, at most, and the values that they have together: Postgres takes 65,535.
pub(super) const QUERIES_OF_STATEMENT: usize = 500;
pub(super) const VALUES_OF_STATEMENT: usize = 20_000;

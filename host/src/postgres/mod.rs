//! Postgres: connections, notifications, migrations, values on the wire, error codes, and a private server.

mod array_literal;
mod backoff;
mod blocker;
mod connect;
mod contact;
mod copy;
mod copy_out;
pub mod embedded;
mod examine;
mod grants;
mod listen;
mod locks;
mod migrate;
mod migrations;
mod pool;
mod roles;
mod row;
mod session;
mod sessions;
mod socket;
pub mod sqlstate;
#[doc(hidden)]
pub mod test_database;
#[cfg(test)]
pub(crate) mod test_proxy;
#[cfg(test)]
pub(crate) mod test_role;
mod time;
mod tls;
mod transaction;
mod trust;
mod url;
mod value;
mod within;

#[cfg(test)]
pub(crate) use self::migrate::migrate_to;
pub(crate) use self::{
    array_literal::array_literal,
    row::sql_row,
    value::{sql_number, sql_text},
};
pub use self::{
    backoff::Backoff,
    blocker::{Blocker, blockers_of, lock_holders, name_blockers},
    connect::{ConnectError, Database, KEPT_CONNECTIONS, OLDEST_POSTGRES, PoolReading, Waiting},
    copy::{BinaryCopy, BinaryRows, CopyFormatError},
    copy_out::copy_out,
    examine::{ClockReading, Examined, Right, examine},
    grants::own_by_hosts,
    listen::{Heard, Notifications},
    locks::{Blocked, LockError, LockWatch, begin_waiting, gave_up_waiting},
    migrate::{MigrateError, SchemaState, migrate},
    pool::small_pool,
    roles::{PrefixError, RoleNames, RolesError, RolesMade, make_roles},
    session::{connect_beside, connect_to_read},
    sessions::{OwnSession, Session, Sessions},
    sqlstate::{has_sqlstate, is_disconnect, is_lock_timeout, is_missing_table, is_transient},
    time::{PgDate, PgLocalTimestamp, PgTime, PgTimestamp},
    transaction::begin,
    trust::distrust,
    url::{UrlError, parse_url},
    within::{ANSWER_TIMEOUT, rows_within, within},
};

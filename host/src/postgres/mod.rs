//! Postgres: connections, migrations, values on the wire, and a server of our own where there is none.

mod backoff;
mod connect;
mod copy;
pub mod embedded;
mod migrate;
#[doc(hidden)]
pub mod test_database;
mod time;
mod transient;
mod value;

pub(crate) use self::value::{sql_number, sql_text};
pub use self::{
    backoff::Backoff,
    connect::{ConnectError, Database, OLDEST_POSTGRES},
    copy::{BinaryCopy, BinaryRows, CopyFormatError},
    migrate::{MigrateError, migrate},
    time::{PgDate, PgTimestamp},
    transient::{is_lock_timeout, is_transient},
};

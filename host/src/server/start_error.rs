//! Why a host does not start.

use std::net::SocketAddr;

use crate::{
    access::StartIssuerError,
    http::{TenantName, TlsError},
    outbox::StartOutboxError,
    personal_data::StartPersonalDataError,
    postgres::{ConnectError, MigrateError},
    runtime::RuntimeError,
};

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Postgres cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Its schema cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The WebAssembly engine or its cache cannot be used.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// No messages can be sent.
    #[error(transparent)]
    Outbox(#[from] StartOutboxError),
    /// The keys of personal data cannot be used.
    #[error(transparent)]
    PersonalData(#[from] StartPersonalDataError),
    /// Other machines could do everything.
    #[error(
        "a host that listens on {address} is reached by other machines, and this one would let each of them do everything; start it with --auth \
         tokens (GNOMON_AUTH), and make a first token with `gnomon tokens create`, or let it listen on 127.0.0.1. Behind a proxy that \
         authenticates, or in a network that you trust, --insecure (GNOMON_INSECURE) starts it as it is"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// An issuer would say in vain who makes a request.
    #[error(
        "with --jwt-issuer the host takes JWTs of that issuer, but it asks nobody who they are; start it with --auth tokens (GNOMON_AUTH) as well"
    )]
    IssuerWithoutAuth,
    /// The issuer of JWTs cannot be used.
    #[error(transparent)]
    Issuer(#[from] StartIssuerError),
    /// One JWT would open every tenant.
    #[error(
        "--jwt-issuer (GNOMON_JWT_ISSUER) does not go with --tenants: a JWT names no tenant, so it would open all of them; leave it out, and make \
         tokens in the database of each tenant with `gnomon tokens create`, or start a host of its own for the tenant whose issuer it is"
    )]
    IssuerOfTenants,
    /// The tenants would have the keys of each other.
    #[error(
        "--personal-data-keys (GNOMON_PERSONAL_DATA_KEYS) does not go with --tenants: tenants would share the keys of people; leave it out, and start \
         a host of its own, with keys of its own, for each tenant whose events have personal data"
    )]
    KeysOfTenants,
    /// The listener has no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Tenants could take connections from each other.
    #[error(
        "the tenants may have {requests} requests under way together (max_requests), and the host has {connections} connections of clients \
         (--max-client-connections), so that one tenant could take those of another one; lower the former, or raise the latter"
    )]
    TooManyRequests {
        /// Of all tenants.
        requests: usize,
        /// Of the host.
        connections: usize,
    },
    /// Two tenants have one database.
    #[error(
        "the tenants `{one}` and `{other}` have the same database, {database}; give each a database of its own: a schema for each does not do, since \
         each database has one log"
    )]
    SameDatabase {
        /// A tenant.
        one: TenantName,
        /// Another one.
        other: TenantName,
        /// Its name in Postgres.
        database: String,
    },
    /// It cannot be found out which database it is.
    #[error("it cannot be found out which database this is: {0}")]
    Identity(sqlx::Error),
    /// The address is in use, or not one of this machine.
    #[error("cannot listen on {address}: {error}; perhaps another host does; choose another address with --listen, such as {}", next(*address))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        error: std::io::Error,
    },
}

/// The next port, for a hint.
fn next(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(7070))
}

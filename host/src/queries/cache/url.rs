//! The URL of a Redis.
//!
//! It may have a password in it, so no part of it is ever in a message.

use std::{fmt, str::FromStr};

use redis::{ConnectionInfo, IntoConnectionInfo as _, io::tcp::TcpSettings};

/// A Redis: where it is, and how to log in.
#[derive(Clone)]
pub struct CacheUrl(ConnectionInfo);

/// A text is not the URL of a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL of a Redis is redis://user:password@host:port/database, or begins with rediss:// for TLS; characters of user and password that \
     mean something in a URL are percent-encoded"
)]
pub struct CacheUrlError;

impl FromStr for CacheUrl {
    type Err = CacheUrlError;

    fn from_str(url: &str) -> Result<Self, CacheUrlError> {
        let has_scheme = ["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme));
        // What follows a `#` would turn off the check of certificates, or is the rest of a password.
        if !has_scheme || url.contains('#') {
            return Err(CacheUrlError);
        }
        let info = url.into_connection_info().map_err(|_| CacheUrlError)?;
        Ok(Self(info.set_tcp_settings(TcpSettings::default().set_nodelay(true))))
    }
}

impl CacheUrl {
    pub(super) fn connection_info(&self) -> ConnectionInfo {
        self.0.clone()
    }
}

impl fmt::Debug for CacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheUrl(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_redis_are_taken_and_no_part_of_any_is_shown() {
        for url in
            ["redis://localhost", "redis://u:secret@h:6380/3", "rediss://:secret@h.example:6380", "redis://[::1]:1/"]
        {
            assert_eq!(format!("{:?}", url.parse::<CacheUrl>().unwrap()), "CacheUrl(…)", "{url}");
        }
        for url in [
            "",
            "secret",
            "localhost:6379",
            "http://h",
            "redis://",
            "redis://h/secret",
            "rediss://h/#insecure",
            "redis://:se#cret@h",
        ] {
            let error = url.parse::<CacheUrl>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }
}

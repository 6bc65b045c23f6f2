//! The file that names the tenants of a host.
//!
//! No message has anything of the URL of a database in it.

use std::{
    env, fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use sqlx::postgres::PgConnectOptions;

use crate::{
    http::{MAX_TENANTS, TenantName, TenantNameError},
    postgres::{UrlError, parse_url},
    server::{Tenant, TenantLimits},
};

/// Bytes of the file, and of one that has a URL in it, at most.
pub(in crate::cli) const MAX_TENANTS_FILE_BYTES: u64 = 1024 * 1024;

/// Why the tenants of a host are not known.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum TenantsFileError {
    #[error("cannot read the tenants in {} ({error}); --tenants (GNOMON_TENANTS) names a file of JSON", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} is not a file of tenants: at `{at}`: {reason}", path.display())]
    Form { path: PathBuf, at: String, reason: String },
    #[error("{}: {error}", path.display())]
    Name { path: PathBuf, error: TenantNameError },
    #[error("{} has {count} tenants; a host has 1 to {MAX_TENANTS}", path.display())]
    Count { path: PathBuf, count: usize },
    #[error("{}: the database of the tenant `{tenant}`: {reason}", path.display())]
    Database { path: PathBuf, tenant: TenantName, reason: String },
    #[error("{}: `{field}` of the tenant `{tenant}` is {found}; give a number from {least} to {most}", path.display())]
    Limit { path: PathBuf, tenant: TenantName, field: &'static str, found: usize, least: usize, most: usize },
    #[error(
        "{}: the tenants `{one}` and `{other}` have the same database; give each a database of its own: a schema for each does not do, since each \
         database has one log",
        path.display()
    )]
    SameDatabase { path: PathBuf, one: TenantName, other: TenantName },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    tenants: Entries,
}

/// The tenants in their order, each once.
struct Entries(Vec<(String, Entry)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// A URL, or where it is.
    database: String,
    #[serde(default)]
    limits: TenantLimits,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;
        impl<'de> Visitor<'de> for OfMap {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with an entry for each tenant")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries: Vec<(String, Entry)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if entries.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom(format_args!(
                            "the tenant `{}` is there twice",
                            name.escape_debug()
                        )));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(OfMap)
    }
}

/// Reads the tenants of a host.
pub(in crate::cli) fn read_tenants(path: &Path) -> Result<Vec<Tenant>, TenantsFileError> {
    let unreadable = |error| TenantsFileError::Unreadable { path: path.to_owned(), error };
    let text = read(path).map_err(unreadable)?;
    let mut json = serde_json::Deserializer::from_str(&text);
    let content: Result<Content, _> = serde_path_to_error::deserialize(&mut json);
    let content = content.map_err(|error| {
        let (at, reason) = (error.path().to_string(), without_value(&error.inner().to_string()));
        TenantsFileError::Form { path: path.to_owned(), at, reason }
    })?;
    json.end().map_err(|error| TenantsFileError::Form {
        path: path.to_owned(),
        at: ".".into(),
        reason: error.to_string(),
    })?;
    let Content { tenants: Entries(entries) } = content;
    let count = entries.len();
    if !(1..=MAX_TENANTS).contains(&count) {
        return Err(TenantsFileError::Count { path: path.to_owned(), count });
    }
    let mut tenants: Vec<Tenant> = Vec::new();
    for (name, Entry { database, limits }) in entries {
        let name: TenantName = name.parse().map_err(|error| TenantsFileError::Name { path: path.to_owned(), error })?;
        let refuse = |reason| TenantsFileError::Database { path: path.to_owned(), tenant: name.clone(), reason };
        let database = options(&database).map_err(refuse)?;
        if let Some(other) = tenants.iter().find(|other| place(&other.database) == place(&database)) {
            return Err(TenantsFileError::SameDatabase { path: path.to_owned(), one: other.name.clone(), other: name });
        }
        check(path, &name, &limits)?;
        tenants.push(Tenant { name, database, limits });
    }
    Ok(tenants)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_TENANTS_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_TENANTS_FILE_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_TENANTS_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// The database of a URL, which is there itself, or in a variable of the environment, `env:NAME`, or in a file, `file:/path`.
fn options(database: &str) -> Result<PgConnectOptions, String> {
    let url = if let Some(name) = database.strip_prefix("env:") {
        let found = env::var(name).ok().filter(|url| !url.is_empty());
        found.ok_or_else(|| format!("there is no variable `{}` with its URL", name.escape_debug()))?
    } else if let Some(path) = database.strip_prefix("file:") {
        read(Path::new(path))
            .map_err(|error| format!("its URL cannot be read from {}: {error}", path.escape_debug()))?
    } else {
        database.to_owned()
    };
    parse_url(url.trim()).map_err(|error: UrlError| error.to_string())
}

/// Where a database is, as far as its URL says it. Others are found to be the same when they are open.
fn place(options: &PgConnectOptions) -> (String, u16, Option<&str>) {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    (host, options.get_port(), options.get_database().or(Some(options.get_username())))
}

/// Each limit within its range, which is that of the option of its name.
fn check(path: &Path, tenant: &TenantName, limits: &TenantLimits) -> Result<(), TenantsFileError> {
    let connections = limits.max_connections.map(|number| number as usize);
    for (field, found, least, most) in [
        ("max_connections", connections, 4, 1000),
        ("max_requests", limits.max_requests, 1, 1_000_000),
        ("max_appends", limits.max_appends, 1, 1_000_000),
        ("max_reads", limits.max_reads, 1, 1_000_000),
        ("max_waits", limits.max_waits, 1, 1_000_000),
        ("max_operations", limits.max_operations, 1, 1_000_000),
        ("max_followers", limits.max_followers, 1, 1_000_000),
        ("max_exports", limits.max_exports, 1, 1_000_000),
        ("max_uploads", limits.max_uploads, 1, 10_000),
        ("max_bodies_bytes", limits.max_bodies_bytes, 1, 1 << 40),
        ("max_sending_bytes", limits.max_sending_bytes, 1, 1 << 38),
        ("max_total_memory_bytes", limits.max_total_memory_bytes, 1, 1 << 46),
        ("max_kept_rows_bytes", limits.max_kept_rows_bytes, 0, 1 << 40),
        ("cache_bytes", limits.cache_bytes, 0, 1 << 40),
        ("max_cache_bytes", limits.max_cache_bytes, 0, 1 << 50),
        ("replay_threads", limits.replay_threads, 1, 1024),
    ] {
        if let Some(found) = found.filter(|found| !(least..=most).contains(found)) {
            return Err(TenantsFileError::Limit {
                path: path.to_owned(),
                tenant: tenant.clone(),
                field,
                found,
                least,
                most,
            });
        }
    }
    Ok(())
}

/// What serde says of a text without the text, which may be a URL in the wrong place.
fn without_value(reason: &str) -> String {
    for start in ["invalid type: string ", "invalid value: string "] {
        if let Some((_, end)) = reason.strip_prefix(start).and_then(|rest| rest.rsplit_once("\", ")) {
            return format!("{start}…, {end}");
        }
    }
    reason.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(json: &str) -> Result<Vec<Tenant>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json).unwrap();
        read_tenants(file.path()).map_err(|error| {
            let message = error.to_string();
            assert!(message.contains(&file.path().display().to_string()), "the file is named: {message}");
            assert!(!message.contains("secret"), "{message}");
            message
        })
    }

    #[test]
    fn each_tenant_has_a_database_and_perhaps_limits() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgres://u:secret@h/c\n").unwrap();
        let json = serde_json::json!({"tenants": {
            "b": {"database": "postgres://u:secret@h/b", "limits": {"max_connections": 7, "max_requests": 9}},
            "a": {"database": "postgres://u:secret@h/a"},
            "c": {"database": format!("file:{}", file.display())},
        }});
        let found = tenants(&json.to_string()).unwrap();
        let names: Vec<&str> = found.iter().map(|tenant| tenant.name.as_str()).collect();
        let databases: Vec<_> = found.iter().map(|tenant| tenant.database.get_database().unwrap()).collect();
        assert_eq!(names, databases);
        let b = found.iter().find(|tenant| tenant.name.as_str() == "b").unwrap();
        assert_eq!((b.limits.max_connections, b.limits.max_requests, b.limits.max_reads), (Some(7), Some(9), None));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_tenant_and_field() {
        for (json, parts) in [
            (r#"{"tenants": {}}"#, &["has 0 tenants", "1 to 64"][..]),
            ("{", &["EOF while parsing"]),
            (r#"{"tenants": {"a": {"database": "postgres://u@h/d"}}} x"#, &["trailing characters"]),
            (
                r#"{"tenants": {"a": "postgres://u:secret@h/d"}}"#,
                &["at `tenants.a`", "invalid type: string …, expected"],
            ),
            (r#"{"tenants": {"a": {"databse": "x"}}}"#, &["at `tenants.a", "unknown field `databse`"]),
            (r#"{"tenants": {"a": {}}}"#, &["at `tenants.a`", "missing field `database`"]),
            (
                r#"{"tenants": {"a": {"database": "postgres://u@h/d", "limits": {"max_read": 1}}}}"#,
                &["at `tenants.a.limits.max_read`", "unknown field `max_read`"],
            ),
            (
                r#"{"tenants": {"a": {"database": "postgres://u@h/d", "limits": {"max_reads": -1}}}}"#,
                &["at `tenants.a.limits.max_reads`", "invalid value"],
            ),
            (
                r#"{"tenants": {"a": {"database": "postgres://u@h/d", "limits": {"max_connections": 3}}}}"#,
                &["`max_connections` of the tenant `a` is 3", "4 to 1000"],
            ),
            (r#"{"tenants": {"A": {"database": "postgres://u@h/d"}}}"#, &["`A` is not the name of a tenant"]),
            (r#"{"tenants": {"a": {"database": "nonsense:secret"}}}"#, &["the database of the tenant `a`"]),
            (r#"{"tenants": {"a": {"database": "env:GNOMON_NO_SUCH_URL"}}}"#, &["no variable `GNOMON_NO_SUCH_URL`"]),
            (r#"{"tenants": {"a": {"database": "file:/nowhere/url"}}}"#, &["cannot be read from /nowhere/url"]),
            (
                r#"{"tenants": {"a": {"database": "postgres://u@h/d"}, "a": {"database": "postgres://u@h/e"}}}"#,
                &["the tenant `a` is there twice"],
            ),
            (
                r#"{"tenants": {"a": {"database": "postgres://u:secret@h/d"}, "b": {"database": "postgres://v@h:5432/d"}}}"#,
                &["the tenants `a` and `b` have the same database"],
            ),
        ] {
            let message = tenants(json).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{json}: {message}");
            }
        }
        let missing = read_tenants(Path::new("/nowhere/tenants.json")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/tenants.json") && missing.contains("--tenants"), "{missing}");
    }

    #[test]
    fn there_are_as_many_tenants_as_there_may_be() {
        let many = |count: usize| {
            let entries: Vec<String> = (0..count)
                .map(|number| format!(r#""t{number}": {{"database": "postgres://u@h/d{number}"}}"#))
                .collect();
            tenants(&format!(r#"{{"tenants": {{{}}}}}"#, entries.join(", ")))
        };
        assert_eq!(many(MAX_TENANTS).unwrap().len(), MAX_TENANTS);
        assert!(many(MAX_TENANTS + 1).unwrap_err().contains("has 65 tenants"));
    }
}

//! The URL of a database.
//!
//! A URL has a password in it, and one that is not percent-encoded can be taken for a host, a port or a parameter. So what does not look
//! right is refused before anything is tried, and no part of the URL is ever in a message.

use std::str::FromStr;

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error as PemError, PemObject},
};
use sqlx::postgres::PgConnectOptions;
use tracing::warn;

/// Parameters that are honoured.
const PARAMETERS: &[&str] = &[
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    // The library writes it into URLs that it makes.
    "statement-cache-capacity",
    "user",
];

/// Parameters of libpq that have no effect here. Providers put them into the URLs that they give out.
const WITHOUT_EFFECT: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "pgbouncer",
    "require_auth",
    "sslcompression",
    "sslcrl",
    "sslnegotiation",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// Why a URL is refused. No message has a part of the URL, except for a scheme and names of parameters that are well known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is empty.
    #[error(
        "the database URL is empty; write postgres://user:password@host:port/database, or leave DATABASE_URL unset for a private Postgres"
    )]
    Empty,
    /// It does not begin with a scheme.
    #[error(
        "the database URL is not a URL (it is not shown, since it may have a password); write postgres://user:password@host:port/database"
    )]
    NoScheme,
    /// It is a URL of something else.
    #[error(
        "the database URL begins with {0}; Gnomon runs on Postgres: write postgres://user:password@host:port/database"
    )]
    OtherScheme(String),
    /// It cannot be read, or would be read as something that nobody means.
    #[error(
        "the database URL cannot be read: {0} (it is not shown, since it may have a password). In the user, the password and the database, \
         percent-encode @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25"
    )]
    Unreadable(&'static str),
    /// A parameter has a value that it cannot have.
    #[error("the database URL has a parameter `{0}` with a value that cannot be used")]
    Parameter(&'static str),
    /// A parameter names a file without which there is no TLS as it is asked for.
    #[error(
        "the parameter `{name}` of the database URL names a file that {reason}; write the path of a PEM file with {what}"
    )]
    File {
        /// The parameter.
        name: &'static str,
        /// Why the file cannot be used.
        reason: String,
        /// What it has to have.
        what: &'static str,
    },
    /// Certificates of the system are asked for, and not to be checked.
    #[error("the database URL has sslrootcert=system, so it needs sslmode=verify-full: a weaker mode checks no name")]
    WeakSystemRoots,
}

/// Reads the URL of a database.
///
/// # Errors
/// It is not one, or is one only by accident: see [`UrlError`].
pub fn parse_url(url: &str) -> Result<PgConnectOptions, UrlError> {
    let url = url.trim();
    if url.is_empty() {
        return Err(UrlError::Empty);
    }
    let (scheme, rest) = url.split_once("://").ok_or(UrlError::NoScheme)?;
    if !is_postgres(scheme) {
        return Err(if is_scheme(scheme) {
            UrlError::OtherScheme(format!("{}://", scheme.to_ascii_lowercase()))
        } else {
            UrlError::NoScheme
        });
    }
    if rest.contains('#') {
        return Err(UrlError::Unreadable("it has a `#`, which ends a URL"));
    }
    let (before_query, query) = rest.split_once('?').map_or((rest, ""), |(before, query)| (before, query));
    let (authority, database) = before_query.split_once('/').unwrap_or((before_query, ""));
    if database.contains(['/', '@', ':']) {
        return Err(UrlError::Unreadable("its database has a `/`, `@` or `:`, so its password may have a `/`"));
    }
    for part in [authority, database] {
        if !is_percent_encoded(part) {
            return Err(UrlError::Unreadable("it has a `%` that two hexadecimal digits do not follow"));
        }
    }
    if authority.rsplit('@').next().is_some_and(|hosts| hosts.contains(',')) {
        return Err(UrlError::Unreadable("it has several hosts; write the one that takes writes"));
    }
    let query = known_parameters(query)?;
    let checked = format!("postgres://{authority}/{database}{query}");
    // The message of the library may repeat parts of the URL, so it is dropped.
    let options =
        PgConnectOptions::from_str(&checked).map_err(|_| UrlError::Unreadable("its host or its port is not one"))?;
    // A URL has brackets around an IPv6 address. The name that TLS compares with the certificate has none.
    let unbracketed = options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    Ok(match unbracketed {
        Some(host) => options.host(&host),
        None => options,
    })
}

fn is_postgres(scheme: &str) -> bool {
    ["postgres", "postgresql"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Whether a text before `://` may be shown: a scheme, such as `mysql` or `jdbc:postgresql`.
fn is_scheme(text: &str) -> bool {
    (2..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"+:".contains(&byte))
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// The query with the parameters that are honoured, each checked; with its `?`, if it is not empty.
fn known_parameters(query: &str) -> Result<String, UrlError> {
    let mut honoured = form_urlencoded::Serializer::new(String::new());
    let mut found = false;
    let value_of = |wanted: &str| form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // As libpq reads it. The certificates of the system are trusted in any case where certificates are checked.
        if name == "sslrootcert" && value == "system" {
            match value_of("sslmode") {
                None => _ = honoured.append_pair("sslmode", "verify-full"),
                Some((_, mode)) if mode == "verify-full" => {}
                Some(_) => return Err(UrlError::WeakSystemRoots),
            }
            found = true;
            continue;
        }
        let known = |names: &'static [&'static str]| names.iter().copied().find(|known| *known == name);
        if let Some(name) = known(WITHOUT_EFFECT) {
            warn!(parameter = name, "the parameter of the database URL has no effect");
            continue;
        }
        if name.starts_with("options[") {
            honoured.append_pair(&name, &value);
            found = true;
            continue;
        }
        let Some(name) = known(PARAMETERS) else {
            // The name is not shown either: it may be a part of the password.
            return Err(UrlError::Unreadable(
                "it has a parameter that is not one of Postgres, so its password may have a `?`",
            ));
        };
        check(name, &value)?;
        honoured.append_pair(name, &value);
        found = true;
    }
    Ok(if found { format!("?{}", honoured.finish()) } else { String::new() })
}

fn check(name: &'static str, value: &str) -> Result<(), UrlError> {
    if let "sslrootcert" | "sslcert" | "sslkey" = name {
        return check_file(name, value);
    }
    let is_usable = match name {
        "statement-cache-capacity" => value.parse::<usize>().is_ok(),
        "port" => value.parse::<u16>().is_ok_and(|port| port > 0),
        "hostaddr" => value.parse::<std::net::IpAddr>().is_ok(),
        "sslmode" => value.parse::<sqlx::postgres::PgSslMode>().is_ok(),
        _ => !value.is_empty(),
    };
    if is_usable { Ok(()) } else { Err(UrlError::Parameter(name)) }
}

/// Without this, a path that is wrong would look like a server that does not answer. The value may be PEM itself.
fn check_file(name: &'static str, value: &str) -> Result<(), UrlError> {
    let what = if name == "sslkey" { "a private key" } else { "certificates" };
    let refuse = |reason: String| UrlError::File { name, reason, what };
    let pem = if value.trim().starts_with("-----BEGIN") {
        value.as_bytes().to_vec()
    } else {
        std::fs::read(value).map_err(|error| refuse(format!("cannot be read ({error})")))?
    };
    let read = match name {
        "sslkey" => PrivateKeyDer::from_pem_slice(&pem).map(|_| ()),
        _ => CertificateDer::pem_slice_iter(&pem).next().unwrap_or(Err(PemError::NoItemsFound)).map(|_| ()),
    };
    read.map_err(|error| refuse(format!("has none ({error})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tls_is_looked_at_before_anything_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        for (name, path, reason) in [
            ("sslrootcert", "/nowhere/ca.pem", "cannot be read"),
            ("sslrootcert", empty.to_str().unwrap(), "has none"),
            ("sslkey", empty.to_str().unwrap(), "has none"),
        ] {
            let error = parse_url(&format!("postgres://u:secret@h/db?sslmode=verify-full&{name}={path}")).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(&format!("`{name}`")) && message.contains(reason), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn the_certificates_of_the_system_are_asked_for_as_libpq_does() {
        let mode = |url: &str| parse_url(url).map(|options| format!("{:?}", options.get_ssl_mode()));
        assert_eq!(mode("postgres://u@h/db?sslrootcert=system").unwrap(), "VerifyFull");
        assert_eq!(mode("postgres://u@h/db?sslmode=verify-full&sslrootcert=system").unwrap(), "VerifyFull");
        assert_eq!(
            mode("postgres://u@h/db?sslrootcert=system&sslmode=require").unwrap_err(),
            UrlError::WeakSystemRoots
        );
    }

    #[test]
    fn what_postgres_takes_is_taken() {
        for url in [
            "postgres://u:p@host:5433/db",
            "postgresql://u@host",
            "postgres:///db?host=/run/postgresql&user=u",
            "postgres://u:p%40ss%2Fw%3Ao%23rd%25@host/db",
            "postgres://u:p@ss@host/db",
            "postgres://u:p@host/db?sslmode=require&channel_binding=require",
            "postgres://u:p@host/db?options=-c%20statement_timeout%3D5s",
            " postgres://u:p@host/db\n",
            "postgres://u:p@host/db?sslmode=prefer&statement-cache-capacity=100",
        ] {
            parse_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
        let options = parse_url("postgres://us%40er:p%2Fss@host:5433/d%2Fb").unwrap();
        assert_eq!((options.get_host(), options.get_port(), options.get_username()), ("host", 5433, "us@er"));
        assert_eq!(options.get_database(), Some("d/b"));
    }

    /// TLS compares the host with the certificate, and takes an address without brackets only.
    #[test]
    fn an_address_of_ipv6_has_no_brackets() {
        assert_eq!(parse_url("postgres://u@[::1]/db").unwrap().get_host(), "::1");
        assert_eq!(parse_url("postgres://u@[fe80::1]:5433/db?sslmode=require").unwrap().get_port(), 5433);
    }

    #[test]
    fn another_scheme_is_refused_by_its_name() {
        for (url, scheme) in [
            ("mysql://root:secret@host/db", "mysql://"),
            ("MongoDB+srv://root:secret@host", "mongodb+srv://"),
            ("jdbc:postgresql://host/db?password=secret", "jdbc:postgresql://"),
            ("http://host", "http://"),
        ] {
            assert_eq!(parse_url(url).unwrap_err(), UrlError::OtherScheme(scheme.to_owned()));
        }
        for url in ["host=localhost password=secret", "secret", "u:secret@host/db", "se cret://host", "/run/postgresql"]
        {
            assert_eq!(parse_url(url).unwrap_err(), UrlError::NoScheme, "{url}");
        }
        assert_eq!(parse_url("").unwrap_err(), UrlError::Empty);
    }

    /// Each of these passwords would make another host, port, database or parameter of itself.
    #[test]
    fn a_password_that_is_not_percent_encoded_is_refused_and_not_shown() {
        for password in [
            "p@ss/w:o#rd",
            "p@ss/word",
            "p/word",
            "12/word",
            "p?word",
            "12?word",
            "p@ss?word",
            "p#word",
            "p%word",
            "word%",
        ] {
            for url in [
                format!("postgres://user:{password}@host:5432/db"),
                format!("postgres://user:{password}@host/db?sslmode=disable"),
            ] {
                let error = parse_url(&url).unwrap_err();
                assert!(matches!(error, UrlError::Unreadable(_)), "{url}: {error:?}");
                let message = error.to_string();
                assert!(message.contains("percent-encode"), "{message}");
                assert!(
                    !message.contains("word") || message.contains("password") && !message.contains("o#rd"),
                    "{message}"
                );
                for piece in ["p@ss", "ss/w", "12/", "host:", "user:"] {
                    assert!(!message.contains(piece), "{message}");
                }
            }
        }
    }

    #[test]
    fn a_parameter_is_known_and_has_a_value_that_it_can_have() {
        for (query, name) in [("sslmode=secret", "sslmode"), ("port=secret", "port"), ("hostaddr=secret", "hostaddr")] {
            let error = parse_url(&format!("postgres://u@host/db?{query}")).unwrap_err();
            assert_eq!(error, UrlError::Parameter(name));
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert!(matches!(parse_url("postgres://u@host/db?secret=1").unwrap_err(), UrlError::Unreadable(_)));
    }

    #[test]
    fn several_hosts_are_refused_by_name() {
        for url in ["postgres://u:p@h1,h2/db", "postgres://h1:5432,h2:5432/db"] {
            assert!(parse_url(url).unwrap_err().to_string().contains("several hosts"), "{url}");
        }
    }
}

//! The address of a host.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use clap::Args;

use super::seconds::Seconds;
use crate::{http::TlsFiles, server::ServerSettings};

/// The address of a host, and how it ends.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ListenOptions {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, env = "GNOMON_LISTEN", value_name = "ADDRESS", default_value_t = ServerSettings::default().listen,
        value_parser = listen_address)]
    pub(in crate::cli) listen: SocketAddr,

    /// PEM file with the certificate under which the host speaks TLS, its own first, then those that lead to its authority. It is read again when
    /// it changes
    #[arg(long, env = "GNOMON_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// PEM file with the key of that certificate
    #[arg(long, env = "GNOMON_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Seconds that the host may take to stop, whatever does not answer
    #[arg(long, env = "GNOMON_SHUTDOWN_TIMEOUT", value_name = "SECONDS",
        default_value_t = Seconds(ServerSettings::default().shutdown_timeout), value_parser = Seconds::between(0.1, 86_400.0))]
    pub(super) shutdown_timeout: Seconds,
}

impl ListenOptions {
    /// The files of the certificate, if there is to be one.
    pub(super) fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { certificate, key })
    }
}

/// Reads an address and a port, such as `127.0.0.1:7070`, or a name and a port, which is resolved.
pub(in crate::cli) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !name.contains(['/', ':', '[', ']']) => {
            (name, port.parse::<u16>().ok())
        }
        _ => (text, None),
    };
    let Some(port) = port else {
        return Err("give an address or a name, and a port, such as 127.0.0.1:7070, localhost:7070, [::1]:7070, or 0.0.0.0:7070 for \
                    all addresses of this machine"
            .to_owned());
    };
    let found: Vec<SocketAddr> = (name, port)
        .to_socket_addrs()
        .map_err(|error| {
            format!("`{name}` has no address ({error}); give an address and a port, such as 127.0.0.1:{port}")
        })?
        .collect();
    // A name of this machine mostly has an address of each kind, in no order that can be relied on. Clients try both.
    let address = found.iter().find(|address| address.is_ipv4()).or(found.first()).copied();
    address.ok_or_else(|| format!("`{name}` has no address; give an address and a port, such as 127.0.0.1:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_taken() {
        for (text, address) in [
            ("127.0.0.1:7172", "127.0.0.1:7172"),
            ("localhost:7172", "127.0.0.1:7172"),
            ("localhost:0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:7172", "[::1]:7172"),
        ] {
            assert_eq!(listen_address(text).map(|found| found.to_string()).as_deref(), Ok(address), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_what_to_write() {
        for text in [
            "",
            "7070",
            ":7070",
            "localhost",
            "127.0.0.1",
            "localhost:http",
            "localhost:70700",
            "http://localhost:7070",
            "::1:7070",
        ] {
            let error = listen_address(text).unwrap_err();
            assert!(error.contains("such as 127.0.0.1:7070"), "{text}: {error}");
        }
        let error = listen_address("no-such-name.invalid:7172").unwrap_err();
        assert!(error.starts_with("`no-such-name.invalid` has no address"), "{error}");
        assert!(error.ends_with("such as 127.0.0.1:7172"), "{error}");
    }
}

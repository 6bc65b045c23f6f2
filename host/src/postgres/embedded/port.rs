//! The port, chosen at the first start and kept, so that the URL stays the same.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use super::error::EmbeddedError;
use super::layout::Layout;

/// Below the ports that Linux and macOS give to outgoing connections, one of which could use the port when the server is
/// started again.
const FIRST: u16 = 15_432;
const COUNT: u16 = 10_000;

/// The port of an earlier start, unless another program uses it now.
pub(super) fn remembered(layout: &Layout) -> Option<u16> {
    let port = kept(layout)?;
    if is_free(port) {
        return Some(port);
    }
    tracing::warn!(port, "the port of the private PostgreSQL is used by another program; choosing another one");
    None
}

/// The port of the running server, or of the one that ran last.
pub(super) fn kept(layout: &Layout) -> Option<u16> {
    fs::read_to_string(layout.port()).ok()?.trim().parse().ok()
}

/// A port that is free now. Another program may take it before Postgres does.
pub(super) fn choose() -> u16 {
    // At random, since servers that start at the same time should not all try the same.
    let start = uuid::Uuid::new_v4().as_u128();
    let candidates = (0..u128::from(COUNT)).filter_map(|step| {
        let offset = u16::try_from((start + step) % u128::from(COUNT)).ok()?;
        Some(FIRST + offset)
    });
    candidates.take(100).find(|port| is_free(*port)).unwrap_or(FIRST)
}

pub(super) fn remember(layout: &Layout, port: u16) -> Result<(), EmbeddedError> {
    layout.write(&layout.port(), &format!("{port}\n"), 0o644, None)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_until_another_program_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::under(folder.path()).unwrap();
        fs::create_dir(layout.home()).unwrap();
        assert_eq!(remembered(&layout), None);

        let port = choose();
        remember(&layout, port).unwrap();
        assert_eq!(remembered(&layout), Some(port));

        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_eq!(remembered(&layout), None);
        assert_ne!(choose(), port);
    }
}

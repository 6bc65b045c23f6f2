//! TCP settings of the connections to Postgres: the kernel notices a peer that is gone, and ends what waits for it.
//!
//! Each wait has a bound of its own, see [`within`](super::within::within); this one holds for what is forgotten there. sqlx 0.8.6 keeps its
//! sockets to itself, so they are looked for among the open files of the process when a connection has been made.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// After so long without a word, the peer is asked whether it lives …
const IDLE: Duration = Duration::from_secs(10);
/// … and again after so long …
const INTERVAL: Duration = Duration::from_secs(5);
/// … so often.
const RETRIES: u32 = 3;
/// How long what was sent may stay without a receipt. By default it is about a quarter of an hour.
const USER_TIMEOUT: Duration = Duration::from_secs(25);

/// Gives the sockets that lead to a server these settings. Returns how many there are. Only on Linux, as far as it can be done.
#[cfg(target_os = "linux")]
pub(super) fn watch_over(options: &PgConnectOptions) -> usize {
    if options.get_socket().is_some() {
        return 0;
    }
    let Ok(files) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    let numbers = files.flatten().filter_map(|file| file.file_name().to_str()?.parse().ok());
    numbers.filter(|number| set(*number, options.get_port())).count()
}

/// Elsewhere the settings of the system hold.
#[cfg(not(target_os = "linux"))]
pub(super) fn watch_over(_: &PgConnectOptions) -> usize {
    0
}

/// Gives an open file the settings, if it is a socket whose peer has this port.
#[cfg(target_os = "linux")]
fn set(file: std::os::fd::RawFd, port: u16) -> bool {
    use std::os::fd::BorrowedFd;

    use socket2::{SockRef, TcpKeepalive};

    // SAFETY: the number was that of an open file a moment ago. If another thread has closed it since, the calls below fail, or set options
    // of another socket to the same port; nothing is read, written or closed.
    #[allow(unsafe_code, reason = "the only way to a socket of sqlx")]
    let borrowed = unsafe { BorrowedFd::borrow_raw(file) };
    let socket = SockRef::from(&borrowed);
    let peer = socket.peer_addr().ok().and_then(|address| address.as_socket());
    if peer.is_none_or(|peer| peer.port() != port) {
        return false;
    }
    if !socket.keepalive().unwrap_or_default() {
        let keepalive = TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL).with_retries(RETRIES);
        // Without them the connection works as well.
        let _ = socket.set_tcp_keepalive(&keepalive);
        let _ = socket.set_tcp_user_timeout(Some(USER_TIMEOUT));
    }
    socket.keepalive().unwrap_or_default()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::postgres::{connect_beside, test_database::TestDatabase, test_proxy::SlowProxy};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_sockets_of_connections_are_watched_over() {
        let database = TestDatabase::create().await;
        let proxy = SlowProxy::start(database.connect_options(), Duration::ZERO).await;
        let options = proxy.through(&database.connect_options());
        assert_eq!(watch_over(&options), 0);
        let pool = sqlx::PgPool::connect_lazy_with(options.clone());
        let _first = connect_beside(&pool, &[]).await.unwrap();
        let _second = connect_beside(&pool, &[]).await.unwrap();
        assert_eq!(watch_over(&options), 2);
    }
}

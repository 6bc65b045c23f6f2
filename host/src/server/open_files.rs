//! File descriptors: how many connections of clients the process has room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

/// Descriptors that a host needs beside connections: its own files, those of modules that are loaded and of imports that are read, and
/// what the runtime and a private Postgres hold.
const OWN: u64 = 128;
/// With fewer, a host is of no use. It tries, and says in its log what is missing.
const FEWEST: usize = 16;

/// Raises the limit of the process as far as it may, and returns how many of the `wanted` connections of clients there is room for, beside
/// `others`.
pub(super) fn room_for(wanted: usize, others: u64) -> usize {
    let Some(limit) = raised() else { return wanted };
    let room = fitting(limit, wanted, others);
    if room < wanted {
        warn!(
            open_files = limit,
            "there is room for {room} connections of clients and not for {wanted} (--max-client-connections); raise the \
             limit of open files (ulimit -n, or LimitNOFILE= of systemd)"
        );
    }
    room
}

/// The limit of open files after it was raised to what the process may have; `None` if there is none.
fn raised() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => {
            info!(from = limit.current, to = limit.maximum, "the limit of open files is raised");
            limit.maximum
        }
        // Some systems name a maximum that they do not give.
        Err(_) => limit.current,
    }
}

fn fitting(limit: u64, wanted: usize, others: u64) -> usize {
    let room = limit.saturating_sub(others).saturating_sub(OWN);
    usize::try_from(room).unwrap_or(usize::MAX).clamp(FEWEST.min(wanted), wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_take_what_the_host_does_not_need_itself() {
        assert_eq!(fitting(1024, 4096, 88), 1024 - 88 - 128);
        assert_eq!(fitting(1_048_576, 4096, 88), 4096);
        assert_eq!(fitting(64, 4096, 88), 16);
        assert_eq!(fitting(64, 8, 88), 8);
    }

    #[test]
    fn the_limit_of_this_process_can_be_raised() {
        raised();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}

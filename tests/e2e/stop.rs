//! A host ends when it is told to, whatever hangs.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Host, Postgres, until};

/// Far more than the host may take, and far less than a hang.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits for the end of the process; returns its exit code.
async fn ended(host: &mut Host) -> Option<i32> {
    let began = Instant::now();
    let mut status = None;
    until("the host ends", async || {
        status = host.try_wait();
        assert!(began.elapsed() < LONGEST, "it has not ended");
        status.is_some()
    })
    .await;
    status.unwrap().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_frozen_postgres_a_host_ends_in_time_and_a_second_signal_ends_it_at_once() {
    let postgres = Postgres::start().await;
    let mut bounded = Host::start_on(postgres.url(), &["--shutdown-timeout", "2"]).await;
    let mut patient = Host::start_on(postgres.url(), &["--shutdown-timeout", "3600"]).await;
    let frozen = postgres.freeze();
    bounded.signal(Signal::SIGTERM);
    assert_eq!(ended(&mut bounded).await, Some(1), "it says that it did not stop in order");

    patient.signal(Signal::SIGTERM);
    until("the host is stopping", async || patient.has_logged("stopping")).await;
    patient.signal(Signal::SIGTERM);
    assert_eq!(ended(&mut patient).await, Some(128 + Signal::SIGTERM as i32));
    drop(frozen);
}

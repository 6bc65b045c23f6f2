//! COPY, in many small transactions and in a large one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::tables::{make_empty_events, make_events, newest};
use crate::{
    cli::bench::all::{
        bank::{Bank, BankEvent},
        closed_loop::Asks,
    },
    postgres::{BinaryCopy, PgTimestamp},
};

const COPY: &str = "COPY beside.events (position, version, time, recorded_at, id, schema_version, stream, type, data) \
                    FROM STDIN (FORMAT binary)";
/// Rows of one COPY of many in a transaction.
const ROWS: u64 = 20_000;
/// Bytes of a row, about.
const ROW: usize = 256;

/// A client that copies some rows in one transaction after the other.
struct Copies {
    session: PgConnection,
    bank: Bank,
    first: u64,
    rows: u64,
}

/// Clients that copy so many rows in one transaction after the other, one for each session.
pub(in crate::cli::bench::all) async fn copies_of(
    rows: u64,
    mut sessions: Vec<PgConnection>,
    bank: Bank,
) -> anyhow::Result<Vec<impl Asks>> {
    let mut first = 0;
    if let Some(session) = sessions.first_mut() {
        make_events(session).await?;
        first = newest(session).await? + 1;
    }
    Ok(sessions.into_iter().map(|session| Copies { session, bank, first, rows }).collect())
}

impl Asks for Copies {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let (now, mut copy) = (now(), BinaryCopy::with_capacity(self.rows as usize * ROW));
        for number in number * self.rows..(number + 1) * self.rows {
            add(&mut copy, self.first + number, &self.bank.movement(number), Uuid::now_v7(), now)?;
        }
        send(&mut self.session, copy.finish()).await
    }
}

/// Copies the first events of a bank into an empty table, in one transaction; returns how long that took. As in an import, the rows are
/// made on a thread of its own.
pub(in crate::cli::bench::all) async fn copy_all(
    session: &mut PgConnection,
    bank: Bank,
    events: u64,
) -> anyhow::Result<Duration> {
    make_empty_events(session).await?;
    let (sender, mut chunks) = mpsc::channel(1);
    let began = Instant::now();
    std::thread::spawn(move || {
        for first in (0..events).step_by(ROWS as usize) {
            let chunk = chunk(bank, first, events.min(first + ROWS));
            if sender.blocking_send(chunk).is_err() {
                break;
            }
        }
    });
    let mut transaction = session.begin().await?;
    while let Some(chunk) = chunks.recv().await {
        send(&mut transaction, chunk?).await?;
    }
    transaction.commit().await?;
    Ok(began.elapsed())
}

fn chunk(bank: Bank, first: u64, end: u64) -> anyhow::Result<Vec<u8>> {
    let (now, mut copy) = (now(), BinaryCopy::with_capacity((end - first) as usize * ROW));
    for number in first..end {
        let event = bank.event(number);
        add(&mut copy, number + 1, &event, event.id, now)?;
    }
    Ok(copy.finish())
}

fn add(copy: &mut BinaryCopy, position: u64, event: &BankEvent, id: Uuid, now: PgTimestamp) -> anyhow::Result<()> {
    let position = i64::try_from(position).context("a position is too large")?;
    copy.row(9);
    copy.i64(position);
    copy.i64(position);
    copy.timestamp(now);
    copy.timestamp(now);
    copy.bytes(id.as_bytes());
    copy.i32(1);
    copy.bytes(event.stream().as_bytes());
    copy.bytes(event.event_type.as_bytes());
    copy.bytes(event.data().as_bytes());
    Ok(())
}

async fn send(session: &mut PgConnection, rows: Vec<u8>) -> anyhow::Result<()> {
    let mut copy = session.copy_in_raw(COPY).await?;
    copy.send(rows).await?;
    copy.finish().await?;
    Ok(())
}

fn now() -> PgTimestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PgTimestamp(i64::try_from(since.as_micros()).unwrap_or_default())
}

//! Receiving a COPY.
//!
//! sqlx 0.8.6 does not count the answers of a COPY: interrupted in its middle, or refused at its beginning, it leaves the connection with
//! an answer too many, and each statement after it gets the answer of the one before. So such a connection is closed.

use futures_util::{FutureExt as _, TryStreamExt};
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};

use super::within::{ANSWER_TIMEOUT, within};

/// What a statement `COPY … TO STDOUT` returns, up to the piece that reaches `max_bytes`, and whether there was more. Each piece has its own
/// bound of time, since all of them may be large.
///
/// # Errors
/// Postgres fails, or falls silent.
pub async fn copy_out(pool: &PgPool, statement: &str, max_bytes: usize) -> Result<(Vec<u8>, bool), sqlx::Error> {
    let what = "a COPY from the log";
    let mut copying = Copying { connection: pool.acquire().await?, is_done: false };
    let connection: &mut PgConnection = &mut copying.connection;
    let mut pieces = within(ANSWER_TIMEOUT, what, connection.copy_out_raw(statement)).await?;
    // What comes after the limit is read and dropped, up to as much again: that is cheaper than another connection.
    let (mut received, mut dropped) = (Vec::new(), 0);
    let is_done = loop {
        // A piece is one row, and mostly it is there: then it needs no timer.
        let next = match pieces.try_next().now_or_never() {
            Some(next) => next?,
            None => within(ANSWER_TIMEOUT, what, pieces.try_next()).await?,
        };
        let Some(piece) = next else { break true };
        if received.len() < max_bytes {
            received.extend_from_slice(&piece);
            continue;
        }
        dropped += piece.len();
        if dropped > max_bytes {
            break false;
        }
    };
    drop(pieces);
    copying.is_done = is_done;
    Ok((received, dropped > 0))
}

/// A connection that is closed if it is dropped before the COPY is done.
struct Copying {
    connection: PoolConnection<Postgres>,
    is_done: bool,
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.is_done {
            self.connection.close_on_drop();
        }
    }
}

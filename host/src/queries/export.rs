//! Reading all rows of a query at one position, piece by piece, as a file of columns.
//!
//! The rows are those of one snapshot, on a connection of its own: a long export keeps no session of the readers. They are read as fast as the
//! client takes them, and never more than a few MiB ahead.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Queries,
    error::ReadError,
    origin::Origin,
    read::{answer_to_error, query_on},
    request::ReadRequest,
    zone::set_zone,
};
use crate::{
    builds::{ActiveBuild, Snapshot, is_active},
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, within},
    read_model::{
        columnar::{BatchBuilder, EncodeError, Encoder, Format},
        query::ColumnsSql,
    },
};

/// An export that has begun.
#[derive(Debug)]
pub struct Export {
    /// It holds the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// Where the rows come from.
    pub origin: Origin,
    /// What it is made of.
    pub body: ExportBody,
}

/// The bytes of an export. It ends with an error if they are not all of it. Dropped, it ends the export.
#[derive(Debug)]
pub struct ExportBody {
    /// The first piece, which was waited for.
    first: Option<Piece>,
    pieces: mpsc::Receiver<Piece>,
    has_ended: bool,
    _task: AbortOnDropHandle<()>,
}

/// Some bytes; `None` is the end, without which it is not known that it is one.
type Piece = Result<Option<Bytes>, ReadError>;

impl Queries {
    /// Begins to read the rows of a query on the active build. Its limits of rows and bytes do not hold, since a few MiB of it are in
    /// memory at most; it has a limit of time of its own.
    ///
    /// # Errors
    /// There is nothing to read, the query is wrong or has no columns, or Postgres fails: until its first bytes are there.
    pub async fn export(&self, request: ReadRequest<'_>, format: Format) -> Result<Export, ReadError> {
        self.again(request.projection, || self.try_export(request, format)).await
    }

    /// The same for rows that hold the effect of every event up to a position, at least.
    ///
    /// # Errors
    /// Those of [`export`](Self::export), and those of [`wait_for`](Self::wait_for), if the position is not reached within `wait`.
    pub async fn export_from(
        &self,
        request: ReadRequest<'_>,
        format: Format,
        wanted: Position,
        wait: Duration,
    ) -> Result<Export, ReadError> {
        self.wait_for(request.projection, wanted, wait).await?;
        // A swap goes to no earlier position.
        self.export(request, format).await
    }

    /// Returns `None` if the remembered build is not the active one any more.
    async fn try_export(&self, request: ReadRequest<'_>, format: Format) -> Result<Option<Export>, ReadError> {
        let active = self.active(request.projection).await?;
        match self.export_build(&active, request, format).await {
            // As for a page: only the build that is active now may refuse a query.
            Err(ReadError::NoTable { .. } | ReadError::Query(_)) if !is_active(&self.pool, active.build).await? => {
                Ok(None)
            }
            result => result,
        }
    }

    pub(super) async fn export_build(
        &self,
        active: &ActiveBuild,
        request: ReadRequest<'_>,
        format: Format,
    ) -> Result<Option<Export>, ReadError> {
        let query = query_on(&active.tables, &request)?;
        let sql = query.to_columns_sql(active.tables.schema().as_str()).map_err(ReadError::Query)?;
        let limit = request.limits.export_timeout;
        let deadline = Instant::now() + limit;
        let opened = within(ANSWER_TIMEOUT, "the snapshot of an export", self.open(active, &request, limit)).await?;
        let Some((snapshot, position)) = opened else { return Ok(None) };
        // Each is counted on its own.
        let build = if request.as_of.is_some() { "gnomon.past_build" } else { "gnomon.build" };
        let metadata = [
            ("gnomon.projection", request.projection.to_string()),
            ("gnomon.table", request.table.to_owned()),
            ("gnomon.version", active.version.to_string()),
            (build, active.number.to_string()),
            ("gnomon.position", position.to_string()),
        ];
        let encoder = Encoder::new(format, &sql.columns, &metadata)?;
        let (sender, mut pieces) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let end = match timeout_at(deadline, write(snapshot, sql, encoder, &sender)).await {
                Ok(written) => written.map(|()| None),
                Err(_) => Err(ReadError::ExportTimedOut(limit)),
            };
            // Only who has left does not hear it.
            let _ = sender.send(end).await;
        });
        let task = AbortOnDropHandle::new(task);
        // What is wrong with the query is known before the answer begins.
        match pieces.recv().await {
            Some(Err(ReadError::Postgres(error))) => answer_to_error(error),
            Some(Err(error)) => Err(error),
            first => {
                let body = ExportBody { first, pieces, has_ended: false, _task: task };
                let origin = Origin { build: Some(active.number), version: active.version };
                Ok(Some(Export { position, origin, body }))
            }
        }
    }

    /// A snapshot, with the position that it is of. `None` if the build is neither active nor a past build that is
    /// finished.
    async fn open(
        &self,
        active: &ActiveBuild,
        request: &ReadRequest<'_>,
        limit: Duration,
    ) -> Result<Option<(Snapshot, Position)>, sqlx::Error> {
        let mut snapshot = Snapshot::connect(&self.pool).await?;
        snapshot.begin().await?;
        let connection = snapshot.connection();
        let position: Option<Position> = sqlx::query_scalar(
            "SELECT checkpoint FROM gnomon.builds AS build JOIN gnomon.subscriptions ON subscription = build.build
             WHERE build.projection = $1 AND build.build = $2 AND (role = 'active' OR work = 'finished')",
        )
        .bind(request.projection)
        .bind(active.build)
        .fetch_optional(&mut *connection)
        .await?;
        // A client that reads slowly is no reason to end the session: for how long nothing is read, the HTTP side knows.
        sqlx::query("SELECT set_config('tcp_user_timeout', $1, true)")
            .bind(limit.as_millis().min(i32::MAX as u128).to_string())
            .execute(&mut *connection)
            .await?;
        if let Some(zone) = request.zone {
            set_zone(connection, zone).await?;
        }
        match position {
            Some(position) => Ok(Some((snapshot, position))),
            None => {
                snapshot.close().await;
                Ok(None)
            }
        }
    }
}

/// Reads all rows, and sends them as they are encoded.
async fn write(
    mut snapshot: Snapshot,
    sql: ColumnsSql,
    mut encoder: Encoder,
    sender: &mpsc::Sender<Piece>,
) -> Result<(), ReadError> {
    let ColumnsSql { text, params, columns } = sql;
    let text = format!("/* gnomon exports */ {text}");
    let mut batch = BatchBuilder::new(&columns);
    // Safe: the SQL is made of constants and of checked names; all values of the reader are bound.
    let mut statement = sqlx::query(&text).persistent(false);
    for param in params {
        statement = statement.bind(param);
    }
    let mut rows = statement.fetch(snapshot.connection());
    while let Some(row) = rows.try_next().await? {
        batch.push(&row)?;
        if batch.is_full() {
            encoder = encode(encoder, &mut batch, sender).await?;
        }
    }
    drop(rows);
    if !batch.is_empty() {
        encoder = encode(encoder, &mut batch, sender).await?;
    }
    snapshot.close().await;
    let rest = apart(|| encoder.finish()).await?;
    send(sender, rest).await;
    Ok(())
}

/// Encodes a batch, and sends what is ready of the file.
async fn encode(
    mut encoder: Encoder,
    batch: &mut BatchBuilder,
    sender: &mpsc::Sender<Piece>,
) -> Result<Encoder, ReadError> {
    let batch = batch.take().map_err(EncodeError::from)?;
    let (encoder, ready) = apart(move || {
        let ready = encoder.write(&batch)?;
        Ok((encoder, ready))
    })
    .await?;
    send(sender, ready).await;
    Ok(encoder)
}

/// Encoding takes milliseconds, for which other requests would have to wait.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EncodeError> + Send + 'static,
) -> Result<T, ReadError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(ReadError::ExportBroke(error.to_string())),
    }
}

/// Waits until the client has taken what was sent before. If it has left, this task ends with the body.
async fn send(sender: &mpsc::Sender<Piece>, bytes: Vec<u8>) {
    if !bytes.is_empty() {
        let _ = sender.send(Ok(Some(bytes.into()))).await;
    }
}

impl Stream for ExportBody {
    type Item = Result<Bytes, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let piece = match self.first.take() {
            Some(first) => Some(first),
            None => ready!(self.pieces.poll_recv(context)),
        };
        let item = match piece {
            Some(Ok(Some(bytes))) => return Poll::Ready(Some(Ok(bytes))),
            Some(Ok(None)) => None,
            Some(Err(error)) => Some(Err(error)),
            // The task has panicked, or is gone with the runtime.
            None => Some(Err(ReadError::ExportBroke("the task that reads the rows is gone".to_owned()))),
        };
        self.has_ended = true;
        Poll::Ready(item)
    }
}

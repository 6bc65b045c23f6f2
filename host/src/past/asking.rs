//! A question about the past of a stream, and the folding that answers it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;

use super::{
    Past,
    error::{MAX_WAIT, PastError},
    fold::StreamFold,
    logic::{self, LoadedLogic, Logic},
    reading::{OtherLog, StreamReading},
    set_aside::SetAside,
    snapshots::{Lineage, Spacing},
    told::Told,
};
use crate::{
    event_log::{EventLog, RecordedEvent, StreamName, StreamVersion},
    modules::ModuleVersion,
    postgres::{ANSWER_TIMEOUT, within},
    read_model::Identifier,
};

/// How long looking up and loading a logic may take: a version may have to be compiled.
const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    pub(super) log: &'q EventLog,
    pub(super) stream: &'q StreamName,
    pub(super) projection: &'q Identifier,
    /// The version of the projection that tells; `None` for that of the active build.
    pub(super) version: Option<ModuleVersion>,
}

/// A stream that is being folded to answer a question.
pub(super) struct Asking<'q> {
    past: &'q Past,
    pub(super) question: Question<'q>,
    /// The version of the newest event.
    pub(super) newest: StreamVersion,
    pub(super) logic: Logic,
    pub(super) lineage: Lineage,
    pub(super) reading: StreamReading<'q>,
    fold: Option<Box<StreamFold>>,
    began_at: StreamVersion,
    deadline: Instant,
    /// Held until what is spawned has ended, also if the reader has left.
    turn: Arc<OwnedSemaphorePermit>,
}

impl Past {
    /// Begins to answer a question.
    pub(super) async fn ask<'q>(&'q self, question: Question<'q>) -> Result<Asking<'q>, PastError> {
        let Question { log, stream, projection, version } = question;
        let newest = async { log.stream_version(stream).await.map_err(PastError::from) };
        let loaded = async { self.load(logic::choose(&self.pool, projection, version).await?).await };
        let (newest, loaded) = tokio::try_join!(newest, loaded)?;
        if newest == StreamVersion(0) {
            return Err(PastError::NoStream(stream.clone()));
        }
        self.begin(question, loaded, newest).await
    }

    /// Loads a logic.
    pub(super) async fn load(&self, logic: Logic) -> Result<LoadedLogic, PastError> {
        let loaded = logic::load(&self.pool, &self.modules, logic);
        within(LOAD_TIMEOUT, "the logic that tells the past", loaded).await
    }

    /// Begins to answer a question by a logic; the stream has this version at least.
    pub(super) async fn begin<'q>(
        &'q self,
        question: Question<'q>,
        loaded: LoadedLogic,
        newest: StreamVersion,
    ) -> Result<Asking<'q>, PastError> {
        let Question { log, stream, .. } = question;
        let set_aside = SetAside::look_up(&self.pool, &loaded.logic, stream);
        let set_aside = within(ANSWER_TIMEOUT, "the dead letters of a stream", set_aside).await?;
        let turn = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.folding).acquire_owned()).await;
        let turn = Arc::new(turn.map_err(|_| PastError::Busy)?.map_err(|_| PastError::Interrupted)?);
        let LoadedLogic { ref logic, lineage, .. } = loaded;
        let logic = logic.clone();
        let fold = StreamFold::new(loaded, stream.clone(), set_aside, self.settings.max_fold_bytes);
        Ok(Asking {
            past: self,
            question,
            newest,
            logic,
            lineage,
            reading: StreamReading::after(log, stream, None),
            fold: Some(Box::new(fold)),
            began_at: StreamVersion(0),
            deadline: Instant::now() + self.settings.past_timeout,
            turn,
        })
    }
}

impl<'q> Asking<'q> {
    /// The rows so far.
    pub(super) fn fold(&mut self) -> Result<&mut StreamFold, PastError> {
        // It is away only while it folds, and if that is interrupted.
        self.fold.as_deref_mut().ok_or(PastError::Interrupted)
    }

    /// Of what the answer is made.
    pub(super) fn told(&self) -> Told {
        let (logic, newest, began_at) = (self.logic.clone(), self.newest, self.began_at);
        Told { logic, newest, began_at, read: self.reading.version().0 - began_at.0 }
    }

    /// Folds all events up to a version that the stream has, from the nearest snapshot on, and takes further ones.
    pub(super) async fn fold_from_snapshot(&mut self, to: StreamVersion) -> Result<(), PastError> {
        let Question { log, stream, .. } = self.question;
        let (lineage, snapshots) = (self.lineage, self.past.snapshots.clone());
        let (tables, first) = {
            let fold = self.fold()?;
            (fold.module().tables().to_vec(), fold.first_set_aside())
        };
        while to > StreamVersion(0) {
            let Some((stamp, rows)) = snapshots.nearest(lineage, stream, to, first, &tables).await? else { break };
            let mut reading = StreamReading::after(log, stream, Some(stamp));
            match reading.next(to).await? {
                Ok(events) => {
                    self.reading = reading;
                    self.began_at = stamp.version;
                    let fold = self.fold()?;
                    fold.begin_at(stamp.version, rows);
                    self.take_snapshots()?;
                    self.fold_events(events).await?;
                    return self.fold_on(to).await;
                }
                // It is of a log from before a restore.
                Err(OtherLog) => snapshots.forget(lineage, stream, &stamp).await?,
            }
        }
        self.take_snapshots()?;
        self.fold_on(to).await
    }

    fn take_snapshots(&mut self) -> Result<(), PastError> {
        let (every, began_at) = (self.past.settings.snapshot_every, self.began_at);
        self.fold()?.take_snapshots(Spacing::new(every, began_at));
        Ok(())
    }

    /// Folds the next events up to a version that the stream has.
    pub(super) async fn fold_on(&mut self, to: StreamVersion) -> Result<(), PastError> {
        while self.reading.version() < to {
            let events = self.next_events(to).await?;
            self.fold_events(events).await?;
        }
        Ok(())
    }

    /// Reads the next events up to a version that the stream has, one at least.
    pub(super) async fn next_events(&mut self, to: StreamVersion) -> Result<Vec<RecordedEvent>, PastError> {
        let read = self.reading.next(to).await?;
        read.map_err(|OtherLog| PastError::Restored(self.question.stream.clone()))
    }

    /// Folds events, and keeps the snapshots that are due.
    pub(super) async fn fold_events(&mut self, events: Vec<RecordedEvent>) -> Result<(), PastError> {
        if events.is_empty() {
            return Ok(());
        }
        let deadline = self.deadline;
        let (taken, folded) = self
            .work(move |fold| {
                let mut taken = Vec::new();
                let folded = fold.fold(events, deadline, &mut taken);
                (taken, folded)
            })
            .await?;
        // Also if the time was over: the next one gets further.
        self.past.snapshots.keep(self.lineage, self.question.stream, taken);
        folded
    }

    /// Does what computes, on a thread of its own.
    pub(super) async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut StreamFold) -> T + Send + 'static,
    ) -> Result<T, PastError> {
        let mut fold = self.fold.take().ok_or(PastError::Interrupted)?;
        let turn = Arc::clone(&self.turn);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let done = work(&mut fold);
            (fold, done)
        });
        let (fold, done) = done.await.map_err(|_| PastError::Interrupted)?;
        self.fold = Some(fold);
        Ok(done)
    }

    /// Whether the time for the answer is over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The answer is a part of one whose time is over then.
    pub(super) fn end_by(&mut self, deadline: Instant) {
        self.deadline = self.deadline.min(deadline);
    }
}

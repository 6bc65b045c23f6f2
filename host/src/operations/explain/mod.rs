//! What became of one event: who wants it, what the upcasters made of it, and what each build made of that.
//!
//! Nothing that is stored is changed, and no build waits: an event is folded again in instances of its own, over rows in memory.

mod error;
mod replay;
mod turn;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) use self::turn::turns;
pub use self::{
    error::ExplainError,
    replay::{Fold, FoldOutcome, FoldedOver, NotFolded},
};
use self::{
    error::MAX_WAIT,
    replay::{Folding, fold},
    turn::Turn,
};
use super::{
    Operations,
    log_filter::{LogFilter, log_filter},
};
use crate::{
    builds::{
        Build, BuildError, BuildName, BuildState, PinnedUpcaster, RetiredBuilds, State, names_of, of_projection,
        summaries,
    },
    event_log::{EventLog, Position, RecordedEvent},
    modules::ModuleVersion,
    past::{PassedOver, Status, passed_over, silently, wanted},
    read_model::Identifier,
    runtime::{BatchError, Delivery, ModuleFailure, UpcastError},
    subscriptions::{DeadLetterSummary, dead_letter_page},
};

/// From then on builds are not folded any more; they are listed with what is known without.
const TIME_TO_FOLD: Duration = Duration::from_secs(10);
/// Builds that are listed, those of the projections that come first by name.
const MAX_BUILDS: usize = 100;

/// What is to be explained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExplainOptions {
    /// Only the builds of this projection.
    pub projection: Option<Identifier>,
    /// Whether the event is folded again, to show which rows it changes.
    pub fold: bool,
}

/// What became of an event.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The event, as it is in the log.
    pub event: RecordedEvent,
    /// The position of the newest event.
    pub head: Position,
    /// Each build and verification that is not retired, by projection, newest first.
    pub builds: Vec<ExplainedBuild>,
    /// How many more there are.
    pub more_builds: usize,
}

/// What became of an event in one build.
#[derive(Clone, Debug)]
pub struct ExplainedBuild {
    /// The projection.
    pub projection: Identifier,
    /// The build, or the verification.
    pub build: BuildName,
    /// Its version.
    pub version: ModuleVersion,
    /// The one word for its state.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: Position,
    /// Where the event stands in it.
    pub status: Status,
    /// The event as it is set aside, if it is.
    pub dead_letter: Option<DeadLetterSummary>,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// What the upcasters make of the event; `None` if the build does not read it, or if this was not to be found out.
    pub upcasted: Option<Upcasted>,
    /// What folding it again gives; `None` if the build does not want it, or if this was not asked for.
    pub fold: Option<FoldOutcome>,
}

/// What upcasters make of an event.
#[derive(Clone, Debug)]
pub struct Upcasted {
    /// The events, or how an upcaster fails.
    pub made: Result<Vec<Delivery>, ModuleFailure>,
    /// How long it took.
    pub time: Duration,
}

impl Operations {
    /// Explains what became of the event at a position.
    ///
    /// # Errors
    /// See [`ExplainError`].
    pub async fn explain(
        &self,
        log: &EventLog,
        position: Position,
        options: ExplainOptions,
    ) -> Result<Explanation, ExplainError> {
        let turn = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.explaining).acquire_owned()).await;
        // Held until what is spawned has ended, also if the reader has left.
        let turn = Arc::new(turn.map_err(|_| ExplainError::Busy)?.map_err(|_| ExplainError::Interrupted)?);
        let head = log.read_head().await?;
        let event = match position <= head {
            true => log.read_at(&[position]).await?.pop(),
            false => None,
        };
        let event = event.ok_or(ExplainError::NoEvent { position, head })?;
        let deadline = Instant::now() + TIME_TO_FOLD;
        let (mut explained, mut more_builds) = (Vec::new(), 0);
        let projections = summaries(&self.pool, options.projection.as_ref(), RetiredBuilds::Hidden).await?;
        if let (Some(name), true) = (options.projection, projections.is_empty()) {
            return Err(ExplainError::NoProjection(name));
        }
        for projection in projections {
            let builds = of_projection(&self.pool, &projection.name).await?.unwrap_or_default();
            for build in builds.into_iter().filter(|build| build.state != State::Retired) {
                if explained.len() == MAX_BUILDS {
                    more_builds += 1;
                    continue;
                }
                let of_builds = projection.builds.iter().find(|known| BuildName::Build(known.build) == build.name());
                let of_verifications = projection.verifications.iter().map(|verification| &verification.by);
                let known = of_builds.or_else(|| {
                    of_verifications.into_iter().find(|known| BuildName::Verification(known.build) == build.name())
                });
                // One that was begun in between is left out.
                let Some(known) = known else { continue };
                let (checkpoint, error) = (known.checkpoint, known.error.as_ref());
                let deadline = options.fold.then_some(deadline);
                let explaining = Explaining { log, event: &event, deadline, turn: &turn };
                explained.push(self.explain_build(explaining, &build, checkpoint, error).await?);
            }
        }
        Ok(Explanation { event, head, builds: explained, more_builds })
    }

    /// Explains an event in one build.
    async fn explain_build(
        &self,
        Explaining { log, event, deadline, turn }: Explaining<'_>,
        build: &Build,
        checkpoint: Position,
        error: Option<&BuildError>,
    ) -> Result<ExplainedBuild, ExplainError> {
        let position = event.position;
        let LogFilter { filter, projection: descriptor } = {
            let mut connection = self.pool.acquire().await?;
            log_filter(&mut connection, build).await?
        };
        let before = Position(position.0.saturating_sub(1));
        let letters = dead_letter_page(&self.pool, build.id.subscription(), before, 1).await?;
        let dead_letter = letters.into_iter().find(|letter| letter.position == position);
        let mut explained = ExplainedBuild {
            projection: build.projection.clone(),
            build: build.name(),
            version: build.version,
            state: build.word(),
            checkpoint,
            status: Status::of(position, checkpoint, dead_letter.as_ref(), error),
            dead_letter,
            upcasters: build.upcasters.clone(),
            upcasted: None,
            fold: None,
        };
        if let Some(reason) = passed_over(event, &filter) {
            explained.status = Status::PassedOver(reason);
            return Ok(explained);
        }
        let mut made_of_it = vec![Delivery::from(event.clone())];
        if !build.upcasters.is_empty() {
            match self.upcast_for_build(build, made_of_it.clone(), turn).await {
                Ok(upcasted) => {
                    match &upcasted.made {
                        Ok(made) => made_of_it = wanted(made, &descriptor),
                        Err(_) => made_of_it.clear(),
                    }
                    let passes_over = upcasted.made.is_ok() && made_of_it.is_empty();
                    explained.upcasted = Some(upcasted);
                    if passes_over {
                        explained.status = Status::PassedOver(PassedOver::Upcasters);
                        return Ok(explained);
                    }
                }
                Err(reason) => {
                    explained.fold = Some(Err(NotFolded::Host(reason)));
                    return Ok(explained);
                }
            }
        }
        let Some(deadline) = deadline.filter(|_| !made_of_it.is_empty()) else { return Ok(explained) };
        let folding = Folding {
            log,
            pool: &self.pool,
            modules: &self.modules,
            build,
            checkpoint,
            filter: &filter,
            deadline,
            turn,
        };
        explained.fold = Some(fold(folding, event, made_of_it).await?);
        Ok(explained)
    }

    /// What the upcasters of a build make of events, or why this host cannot tell.
    async fn upcast_for_build(
        &self,
        build: &Build,
        mut events: Vec<Delivery>,
        turn: &Turn,
    ) -> Result<Upcasted, String> {
        let chain = self.modules.load_chain(&names_of(&build.upcasters)).await;
        let mut chain = chain.map_err(|error| error.to_string())?;
        let turn = Arc::clone(turn);
        let upcasted = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let began = Instant::now();
            let made = silently(|| chain.upcast(&mut events)).map(|()| events);
            (made, began.elapsed())
        });
        let (made, time) = upcasted.await.map_err(|_| ExplainError::Interrupted.to_string())?;
        match made {
            Ok(events) => Ok(Upcasted { made: Ok(events), time }),
            Err(UpcastError { upcaster, error: BatchError::Module(failure) }) => {
                Ok(Upcasted { made: Err(ModuleFailure { upcaster: Some(upcaster), ..*failure }), time })
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What is explained.
#[derive(Clone, Copy)]
struct Explaining<'e> {
    log: &'e EventLog,
    event: &'e RecordedEvent,
    /// Until when it may be folded again; `None` if it is not to be.
    deadline: Option<Instant>,
    turn: &'e Turn,
}

#[cfg(test)]
mod tests;

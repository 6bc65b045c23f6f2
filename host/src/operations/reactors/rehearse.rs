//! Rehearsing a version of a reactor: what it would have done, beside what the version does that works. Nothing is carried out.
//!
//! Both are folded again in memory, from where the reactor began, so that their rows are those that the events leave. What they answer is kept from the
//! first event on that is asked for.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    builds::{active_upcasters, names_of},
    event_log::{Direction, EventLog, PageSize, Position},
    modules::{ChainError, LoadError, ModuleVersion},
    operations::Operations,
    past::{FoldedRows, silently},
    reactors,
    read_model::Identifier,
    runtime::{
        BatchError, Delivery, Effect, ModuleFailure, ReactorInstance, ReactorModule, UpcastError, UpcasterChain,
        widen_to_sources,
    },
    subscriptions::OnFailure,
};

/// Events that are read, and folded, at once.
const PAGE: PageSize = PageSize { events: 512, bytes: 4 << 20 };

/// What is to be rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct RehearseOptions {
    /// The version; the newest if there is none.
    pub version: Option<ModuleVersion>,
    /// The first event whose effects are shown.
    pub from: Position,
    /// The last one.
    pub to: Position,
}

/// What a version would have done.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The version.
    pub version: ModuleVersion,
    /// The version that works, if the reactor has begun.
    pub active_version: Option<ModuleVersion>,
    /// The position behind which both begin.
    pub after: Position,
    /// The events that one of them answers, by position.
    pub events: Vec<RehearsedEvent>,
    /// Where and why the version stops, if it does.
    pub failure: Option<ModuleFailure>,
    /// The same of the version that works.
    pub active_failure: Option<ModuleFailure>,
    /// Events that the version cannot handle, and that are passed over, since the reactor sets such events aside.
    pub set_aside: u64,
    /// The same of the version that works.
    pub active_set_aside: u64,
}

/// An event, and what it would have been answered with.
#[derive(Clone, Debug)]
pub struct RehearsedEvent {
    /// Its position.
    pub position: Position,
    /// Its stream.
    pub stream: String,
    /// Its type, as the module gets it.
    pub event_type: String,
    /// What the version answers.
    pub effects: Vec<Effect>,
    /// What the version answers that works.
    pub active_effects: Vec<Effect>,
}

/// Why nothing is rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// There is no such module.
    #[error("there is no reactor `{0}`, and no module of this name")]
    NoModule(Identifier),
    /// The positions are not a range of the log.
    #[error("{}", not_a_range(*from, *to, *head))]
    Range {
        /// The first.
        from: Position,
        /// The last.
        to: Position,
        /// The position of the newest event.
        head: Position,
    },
    /// Too many events are asked for.
    #[error("the effects of {found} positions are asked for; at most {max} are shown at once")]
    TooMany {
        /// How many are.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// The rows and the effects take too much memory.
    #[error(
        "the rows of a version up to position {reached}, and its effects that are to be shown, take more than {max} bytes; ask for fewer \
         positions, or deploy the version on a copy of the database, as a reactor under another name"
    )]
    TooLarge {
        /// How far it has come.
        reached: Position,
        /// The limit.
        max: usize,
    },
    /// It took too long.
    #[error(
        "the rehearsal took longer than {} s, and came to position {reached}; ask for events up to there, or deploy the version on a copy \
         of the database, as a reactor under another name",
        timeout.as_secs_f64()
    )]
    TimedOut {
        /// How far it has come.
        reached: Position,
        /// The limit.
        timeout: Duration,
    },
    /// As many explanations and rehearsals run as a host makes at once.
    #[error("the host explains and rehearses as much as it does at once; ask again")]
    Busy,
    /// The host cannot run a module now.
    #[error("the host cannot rehearse now: {0}")]
    Host(String),
    /// The version does not run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its upcasters do not.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

fn not_a_range(from: Position, to: Position, head: Position) -> String {
    if to < from {
        return format!("the events from position {from} to {to} are asked for: the first comes after the last");
    }
    format!("the events from position {from} to {to} are asked for, and the newest event is at position {head}")
}

impl Operations {
    /// Rehearses a version of a reactor over past events.
    ///
    /// # Errors
    /// There is no such version, or range of the log; or a limit is reached, or Postgres fails.
    pub async fn rehearse(
        &self,
        log: &EventLog,
        name: &Identifier,
        options: RehearseOptions,
    ) -> Result<Rehearsal, RehearseError> {
        let RehearseOptions { version, from, to } = options;
        let head = log.read_head().await?;
        if from.0 == 0 || to < from || to > head {
            return Err(RehearseError::Range { from, to, head });
        }
        let limits = self.settings.rehearsal;
        let (found, max) = (to.0 - from.0 + 1, limits.positions);
        if found > max {
            return Err(RehearseError::TooMany { found, max });
        }
        let module = self.modules.get(name).await?.ok_or_else(|| RehearseError::NoModule(name.clone()))?;
        let version = version.unwrap_or(module.latest_version);
        let candidate = self.modules.load_reactor(name, version).await?;
        let reactor = reactors::get(&self.pool, name).await?;
        let after = reactor.as_ref().map_or(Position(from.0 - 1), |reactor| reactor.began_after);
        let turn = Arc::clone(&self.explaining).try_acquire_owned().map_err(|_| RehearseError::Busy)?;
        let turn = Arc::new(turn);
        let deadline = Instant::now() + limits.timeout;
        let on_failure = match &reactor {
            Some(reactor) => reactors::on_failure(&self.pool, reactor.id).await?,
            None => OnFailure::Halt,
        };
        let range = Range { after, from, to, deadline, on_failure };

        let upcasters = names_of(&active_upcasters(&mut *self.pool.acquire().await?).await?);
        let run = self.run(log, name, candidate, &upcasters, range, &turn);
        let Answers { events: theirs, failure, set_aside, .. } = run.await?;
        let (mut active_version, mut active_failure, mut active_set_aside) = (None, None, 0);
        let mut events = BTreeMap::new();
        for (place, (stream, event_type, effects)) in theirs {
            let active_effects = Vec::new();
            events.insert(place, RehearsedEvent { position: place.0, stream, event_type, effects, active_effects });
        }
        if let Some(reactor) = reactor {
            let active = self.modules.load_reactor(name, reactor.version).await?;
            let run = self.run(log, name, active, &reactor.upcasters, range, &turn);
            let Answers { events: theirs, failure, set_aside, .. } = run.await?;
            (active_version, active_failure, active_set_aside) = (Some(reactor.version), failure, set_aside);
            for (place, (stream, event_type, active_effects)) in theirs {
                let none = || RehearsedEvent {
                    position: place.0,
                    stream,
                    event_type,
                    effects: Vec::new(),
                    active_effects: Vec::new(),
                };
                events.entry(place).or_insert_with(none).active_effects = active_effects;
            }
        }
        let events = events.into_values().collect();
        Ok(Rehearsal { version, active_version, after, events, failure, active_failure, set_aside, active_set_aside })
    }

    /// Folds the events of a range, and returns what a version answers.
    async fn run(
        &self,
        log: &EventLog,
        name: &Identifier,
        module: ReactorModule,
        upcasters: &[(Identifier, ModuleVersion)],
        range: Range,
        turn: &Arc<tokio::sync::OwnedSemaphorePermit>,
    ) -> Result<Answers, RehearseError> {
        let limits = self.settings.rehearsal;
        let mut filter = module.descriptor().filter(name);
        let mut chain = None;
        if !upcasters.is_empty() {
            let loaded = self.modules.load_chain(upcasters).await?;
            widen_to_sources(&mut filter, loaded.steps());
            chain = Some(loaded);
        }
        let rows = FoldedRows::over(module.tables(), None);
        let mut rehearsed = Rehearsed {
            name: name.clone(),
            module,
            instance: None,
            chain,
            rows,
            answers: Answers::default(),
            parked: HashSet::new(),
        };
        let mut after = range.after;
        while after < range.to && rehearsed.answers.failure.is_none() {
            if Instant::now() >= range.deadline {
                return Err(RehearseError::TimedOut { reached: after, timeout: limits.timeout });
            }
            let page = log.read(Direction::Forward, Some(after), PAGE, &filter).await?;
            let next = page.next.unwrap_or(page.head).min(range.to);
            let events = page.events.into_iter().filter(|event| event.position <= range.to).map(Delivery::from);
            let (events, held): (Vec<_>, _) = (events.collect(), Arc::clone(turn));
            let folded = tokio::task::spawn_blocking(move || {
                let _turn = held;
                let result = silently(|| rehearsed.fold(&events, range));
                (rehearsed, result)
            });
            let result;
            (rehearsed, result) = folded.await.map_err(|error| RehearseError::Host(error.to_string()))?;
            result?;
            if rehearsed.rows.changed.bytes() + rehearsed.answers.bytes > limits.bytes {
                return Err(RehearseError::TooLarge { reached: next, max: limits.bytes });
            }
            if next <= after {
                break;
            }
            after = next;
        }
        Ok(rehearsed.answers)
    }
}

/// Which events are folded, and which are shown.
#[derive(Clone, Copy, Debug)]
struct Range {
    after: Position,
    from: Position,
    to: Position,
    deadline: Instant,
    /// What the reactor does at an event that it cannot handle.
    on_failure: OnFailure,
}

/// What events are answered with, by position and part: stream, type and effects.
#[derive(Debug, Default)]
struct Answers {
    events: BTreeMap<(Position, u32), (String, String, Vec<Effect>)>,
    failure: Option<ModuleFailure>,
    /// Events that were passed over.
    set_aside: u64,
    /// Bytes of the effects.
    bytes: usize,
}

/// A version that is rehearsed.
struct Rehearsed {
    name: Identifier,
    module: ReactorModule,
    instance: Option<ReactorInstance>,
    chain: Option<UpcasterChain>,
    rows: FoldedRows,
    answers: Answers,
    /// Streams whose events wait behind one that was set aside.
    parked: HashSet<String>,
}

impl Rehearsed {
    /// Folds events, up to the one at which an upcaster fails, or the module, unless the reactor sets such events aside. Blocks.
    fn fold(&mut self, read: &[Delivery], range: Range) -> Result<(), RehearseError> {
        let Range { from, on_failure, deadline, .. } = range;
        let mut events = read.to_vec();
        if let Some(chain) = &mut self.chain
            && let Err(UpcastError { upcaster, error }) = chain.upcast(&mut events)
        {
            match error {
                BatchError::Module(failure) => {
                    // Those before it are left out as well: it is said where the version stops.
                    self.answers.failure = Some(ModuleFailure { upcaster: Some(upcaster), ..*failure });
                    return Ok(());
                }
                error => return Err(RehearseError::Host(error.to_string())),
            }
        }
        events.retain(|event| self.module.descriptor().wants(&self.name, event));
        let wanted = events.len();
        events.retain(|event| !self.parked.contains(&*event.stream));
        self.answers.set_aside += (wanted - events.len()) as u64;
        match self.react(&events, from) {
            Ok(()) => Ok(()),
            Err(BatchError::Module(_)) => {
                // One by one, to find the event that it fails at, in fresh memory.
                for event in events.chunk_by(|one, next| one.position == next.position) {
                    if self.is_parked(event) {
                        self.answers.set_aside += 1;
                        continue;
                    }
                    // Each may take as long as a module may.
                    if Instant::now() >= deadline {
                        return Ok(());
                    }
                    self.instance = None;
                    match self.react(event, from) {
                        Ok(()) => {}
                        Err(BatchError::Module(failure)) if on_failure == OnFailure::Halt => {
                            self.answers.failure = Some(*failure);
                            return Ok(());
                        }
                        Err(BatchError::Module(_)) => {
                            self.answers.set_aside += 1;
                            if on_failure == OnFailure::Park {
                                self.parked.extend(event.first().map(|event| event.stream.to_string()));
                            }
                        }
                        Err(error) => return Err(RehearseError::Host(error.to_string())),
                    }
                }
                Ok(())
            }
            Err(error) => Err(RehearseError::Host(error.to_string())),
        }
    }

    fn is_parked(&self, event: &[Delivery]) -> bool {
        event.first().is_some_and(|event| self.parked.contains(&*event.stream))
    }

    /// Folds events all or none.
    fn react(&mut self, events: &[Delivery], from: Position) -> Result<(), BatchError> {
        let Some(first) = events.first() else { return Ok(()) };
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.module.instantiate(first.position)?,
        };
        let reaction = instance.react(events, Box::new(self.rows.clone()))?;
        self.instance = Some(instance);
        self.rows.add(reaction.writes);
        for answer in reaction.effects.into_iter().filter(|answer| answer.position >= from) {
            let place = (answer.position, answer.part);
            let event = events.iter().find(|event| (event.position, event.part) == place);
            let (stream, event_type) =
                event.map(|event| (event.stream.to_string(), event.event_type.to_string())).unwrap_or_default();
            self.answers.bytes += answer.effects.iter().map(Effect::bytes).sum::<usize>();
            self.answers.events.insert(place, (stream, event_type, answer.effects));
        }
        Ok(())
    }
}

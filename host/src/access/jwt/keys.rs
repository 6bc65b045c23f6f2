//! The keys of the issuer as this host knows them, and when it asks for them again.
//!
//! A task of its own asks, and nobody else: a request whose client leaves interrupts nothing, and many requests with an unknown key wait for one answer.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::DecodingKey;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::{
    head::SignedBy,
    key_set::{Found, KeySet},
    refusal::JwtRefusal,
    settings::{JwtSettings, KeySource},
    source::{Source, SourceError, keys_in},
    start_error::StartIssuerError,
};
use crate::metrics;

/// How often an issuer is asked for its keys.
pub const REFRESH_EVERY: Duration = Duration::from_secs(300);
/// Between two times that it is asked, at least, whatever JWTs name.
pub const LEAST_PAUSE: Duration = Duration::from_secs(10);
/// For how long the last keys of an issuer hold that cannot be reached.
pub const LONGEST_WITHOUT_ISSUER: Duration = Duration::from_secs(24 * 3600);
/// How often a file of keys is read. Its content is compared, and not its time.
const READ_FILE_EVERY: Duration = Duration::from_secs(5);
/// How long a request waits for keys that are being asked for. It is shorter than what the guard before the routes allows.
const WAIT: Duration = Duration::from_secs(3);

/// When an issuer is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    /// After an answer.
    pub(super) every: Duration,
    /// After none, and between two questions because of JWTs.
    pub(super) least: Duration,
}

/// The keys of the issuer. It is asked for as long as this is there.
#[derive(Debug)]
pub(super) struct Keys {
    shared: Arc<Shared>,
    _asking: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Shared {
    source: Source,
    pauses: Pauses,
    /// With when they were asked for.
    current: RwLock<Option<(KeySet, Instant)>>,
    turn: Mutex<Turn>,
    wanted: Notify,
    answered: watch::Sender<()>,
}

/// What is known of the questions.
#[derive(Debug)]
struct Turn {
    under_way: bool,
    begun: Instant,
}

/// Why there is no key for a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The host has no keys at all.
    NoKeys,
    /// None of them is the one.
    Refused(JwtRefusal),
}

impl Keys {
    /// Reads the file of keys, if they are in one, and begins to ask for keys.
    pub(super) fn start(settings: &JwtSettings) -> Result<Self, StartIssuerError> {
        let every = if matches!(settings.keys, KeySource::File(_)) { READ_FILE_EVERY } else { REFRESH_EVERY };
        Self::start_asking(settings, Pauses { every, least: LEAST_PAUSE })
    }

    pub(super) fn start_asking(settings: &JwtSettings, pauses: Pauses) -> Result<Self, StartIssuerError> {
        let source = Source::of(settings)?;
        let current = match &source {
            Source::File(path) => {
                let set = keys_in(path).map_err(|error| StartIssuerError::Keys(error.to_string()))?;
                if set.len() == 0 {
                    let why = set.unused().first().map(|why| format!(": of the first one, {why}")).unwrap_or_default();
                    return Err(StartIssuerError::NoKeys { path: path.clone(), why });
                }
                Some((set, Instant::now()))
            }
            Source::Discovery { .. } | Source::Url { .. } => None,
        };
        let turn = Turn { under_way: true, begun: Instant::now() };
        let (answered, _) = watch::channel(());
        let shared = Arc::new(Shared {
            source,
            pauses,
            current: RwLock::new(current),
            turn: Mutex::new(turn),
            wanted: Notify::new(),
            answered,
        });
        let asking = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&shared).ask_for_ever()));
        Ok(Self { shared, _asking: asking })
    }

    /// The key of a signature. If it is not known, the issuer is asked, or was asked just now.
    pub(super) async fn find(&self, signed_by: &SignedBy) -> Result<DecodingKey, NoKey> {
        let shared = &*self.shared;
        // From before the look: an answer after it is not missed.
        let mut answered = shared.answered.subscribe();
        match shared.look(signed_by) {
            Err(NoKey::NoKeys | NoKey::Refused(JwtRefusal::UnknownKey)) => {}
            found => return found,
        }
        if shared.want() {
            // The sender is there for as long as this is. What is not there in time is not there now.
            _ = timeout(WAIT, answered.changed()).await;
        }
        shared.look(signed_by)
    }

    /// For how long the keys have not been asked for with success; `None` if they never were.
    pub(super) fn age(&self) -> Option<Duration> {
        self.shared.current.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, at)| at.elapsed())
    }
}

impl Shared {
    fn look(&self, signed_by: &SignedBy) -> Result<DecodingKey, NoKey> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let Some((set, at)) = &*current else { return Err(NoKey::NoKeys) };
        if at.elapsed() > LONGEST_WITHOUT_ISSUER {
            return Err(NoKey::NoKeys);
        }
        match set.find(signed_by) {
            Found::Key(key) => Ok(key.clone()),
            Found::Nothing => Err(NoKey::Refused(JwtRefusal::UnknownKey)),
            Found::Refused(refusal) => Err(NoKey::Refused(refusal)),
        }
    }

    /// Has the issuer asked, unless it was a moment ago. Returns whether there will be an answer.
    fn want(&self) -> bool {
        let mut turn = lock(&self.turn);
        if turn.under_way {
            return true;
        }
        if turn.begun.elapsed() < self.pauses.least {
            return false;
        }
        *turn = Turn { under_way: true, begun: Instant::now() };
        self.wanted.notify_one();
        true
    }

    async fn ask_for_ever(self: Arc<Self>) {
        let mut is_away = false;
        loop {
            let begun = Instant::now();
            *lock(&self.turn) = Turn { under_way: true, begun };
            let answer = self.source.read().await;
            let pause = if answer.is_ok() { self.pauses.every } else { self.pauses.least };
            self.take(answer, begun, &mut is_away);
            lock(&self.turn).under_way = false;
            self.answered.send_replace(());
            tokio::select! {
                () = sleep(pause) => {}
                () = self.wanted.notified() => {}
            }
        }
    }

    /// Uses new keys, or keeps those before.
    fn take(&self, answer: Result<KeySet, SourceError>, begun: Instant, is_away: &mut bool) {
        let set = match answer {
            Ok(set) => set,
            Err(error) => {
                metrics::of_host().access.issuer_failed();
                // Once, until it is there again: a line each time would say no more.
                if !std::mem::replace(is_away, true) {
                    let hours = LONGEST_WITHOUT_ISSUER.as_secs() / 3600;
                    warn!(%error, "the keys of the issuer of JWTs cannot be read; those before, if there are any, hold for {hours} hours");
                }
                return;
            }
        };
        if std::mem::take(is_away) {
            info!("the keys of the issuer of JWTs can be read again");
        }
        let keys = set.len();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = current.as_ref().is_none_or(|(before, _)| !before.is_same(&set));
        let unused: Vec<String> = set.unused().iter().map(ToString::to_string).collect();
        *current = Some((set, begun));
        drop(current);
        if is_new && keys == 0 {
            warn!(unused = unused.join("; "), "the issuer of JWTs has no key that can be used, so no JWT is taken");
        } else if is_new {
            info!(keys, unused = unused.join("; "), "there are new keys of the issuer of JWTs");
        }
    }
}

/// What is kept is replaced as a whole, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Which events of a stream do not count, since the build has set them aside.
//!
//! Up to the build's checkpoint that is known: they are its dead letters, and nothing else. Behind it, or where a build has no dead letters any
//! more since it is retired, the policy of the projection holds, as it would for a build that comes to the event.

use std::collections::BTreeMap;

use sqlx::{PgExecutor, PgPool};

use super::{error::PastError, logic::Logic};
use crate::{
    builds::{Build, State, on_failure},
    event_log::{Position, StreamName},
    runtime::ModuleFailure,
    subscriptions::{OnFailure, StreamLetter, letters_of_stream},
};

/// Events of one stream that may be set aside.
const MAX_LETTERS: usize = 10_000;

/// Which events of a stream are set aside.
#[derive(Clone, Debug)]
pub(super) struct SetAside {
    letters: BTreeMap<Position, Option<ModuleFailure>>,
    /// From here on all events wait.
    parked_from: Option<Position>,
    /// Up to here the build has come.
    pub(super) checkpoint: Position,
    policy: OnFailure,
}

/// What is known of an event before it is folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is folded.
    Folded,
    /// It is set aside: how the module failed.
    Failed(Box<ModuleFailure>),
    /// It waits behind an event that is set aside.
    Waits,
}

impl SetAside {
    /// Looks up what a build has set aside of a stream.
    pub(super) async fn look_up(pool: &PgPool, logic: &Logic, stream: &StreamName) -> Result<Self, PastError> {
        let of_build = async {
            match logic.build.as_ref().filter(|build| build.state != State::Retired) {
                Some(build) => letters(pool, build, stream).await,
                None => Ok(None),
            }
        };
        let policy = async { on_failure(pool, &logic.projection).await.map_err(PastError::from) };
        let (found, policy) = tokio::try_join!(of_build, policy)?;
        Ok(Self::new(found, policy))
    }

    /// The same at the instant of a transaction.
    pub(super) async fn look_up_in(
        connection: impl PgExecutor<'_>,
        build: &Build,
        stream: &StreamName,
    ) -> Result<Self, PastError> {
        // Behind its checkpoint nothing is compared.
        Ok(Self::new(letters(connection, build, stream).await?, OnFailure::Halt))
    }

    pub(super) fn new(found: Option<(Position, Vec<StreamLetter>)>, policy: OnFailure) -> Self {
        let (checkpoint, letters) = found.unwrap_or_default();
        let parked_from = letters.iter().find(|letter| letter.parked).map(|letter| letter.position);
        let letters = letters.into_iter().map(|letter| (letter.position, letter.error)).collect();
        Self { letters, parked_from, checkpoint, policy }
    }

    /// The position of the first event that is set aside.
    pub(super) fn first(&self) -> Option<Position> {
        self.letters.keys().next().copied()
    }

    /// What is known of an event.
    pub(super) fn of(&self, position: Position) -> Known {
        match self.letters.get(&position) {
            Some(Some(failure)) => Known::Failed(Box::new(failure.clone())),
            Some(None) => Known::Waits,
            // What the build has handled is in its rows, whatever was parked before: a retry may have come so far.
            None if position <= self.checkpoint => Known::Folded,
            None if self.parked_from.is_some_and(|from| from < position) => Known::Waits,
            None => Known::Folded,
        }
    }

    /// The module fails at an event. Whether that sets it aside; if not, folding ends there.
    pub(super) fn fail(&mut self, position: Position) -> bool {
        // A build has handled it, so that it is not set aside: what fails is this host.
        if position <= self.checkpoint || self.policy == OnFailure::Halt {
            return false;
        }
        if self.policy == OnFailure::Park {
            self.parked_from.get_or_insert(position);
        }
        true
    }
}

async fn letters(
    connection: impl PgExecutor<'_>,
    build: &Build,
    stream: &StreamName,
) -> Result<Option<(Position, Vec<StreamLetter>)>, PastError> {
    let found = letters_of_stream(connection, build.id.subscription(), stream.as_str(), MAX_LETTERS).await?;
    match &found {
        Some((_, letters)) if letters.len() == MAX_LETTERS => {
            Err(PastError::TooManySetAside { stream: stream.clone(), max: MAX_LETTERS })
        }
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::FailureKind;

    fn letter(position: u64, parked: bool, fails: bool) -> StreamLetter {
        let position = Position(position);
        let error = fails.then(|| ModuleFailure {
            position,
            upcaster: None,
            kind: FailureKind::Refused,
            message: "no".to_owned(),
            backtrace: Vec::new(),
        });
        StreamLetter { position, parked, error }
    }

    #[test]
    fn up_to_the_checkpoint_dead_letters_count_and_behind_it_the_policy() {
        let letters = vec![letter(3, false, true), letter(5, true, true), letter(7, true, false)];
        let of = |policy| SetAside::new(Some((Position(8), letters.clone())), policy);
        let mut known = of(OnFailure::Skip);
        assert_eq!(known.first(), Some(Position(3)));
        let words = |known: &SetAside| {
            [1, 3, 4, 5, 6, 7, 9].map(|position| match known.of(Position(position)) {
                Known::Folded => 'f',
                Known::Failed(_) => 's',
                Known::Waits => 'w',
            })
        };
        // What is behind the checkpoint waits, since an event of the stream is parked.
        assert_eq!(words(&known), ['f', 's', 'f', 's', 'f', 'w', 'w']);
        assert!(!known.fail(Position(8)), "the build has handled it");
        assert!(known.fail(Position(9)));
        assert!(!of(OnFailure::Halt).fail(Position(9)));
    }

    #[test]
    fn behind_the_checkpoint_an_event_that_is_parked_keeps_the_others_waiting() {
        let after = |policy| {
            let mut known = SetAside::new(None, policy);
            assert!(known.fail(Position(4)));
            [Position(4), Position(5)].map(|position| known.of(position) == Known::Waits)
        };
        assert_eq!((after(OnFailure::Skip), after(OnFailure::Park)), ([false, false], [false, true]));
    }
}

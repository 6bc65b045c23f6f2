//! The parts of a build's state as Postgres keeps them. What Postgres holds and this program does not know is an error: to take
//! it for something else could lose a build.

use super::state::{Activation, Kept, Role, Stage, State, Work};
use crate::read_model::Identifier;

macro_rules! column {
    ($part:ident, $what:literal, $($variant:ident = $text:literal),+) => {
        impl $part {
            /// As Postgres keeps it.
            pub(crate) fn as_sql(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }

            /// From what Postgres keeps.
            fn from_sql(text: &str) -> Result<Self, sqlx::Error> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(unknown($what, other)),
                }
            }
        }
    };
}

column!(Stage, "stage", Replaying = "replaying", Live = "live");
column!(Work, "work", Running = "running", Paused = "paused", Halted = "halted", Failed = "failed");
column!(Role, "role", Candidate = "candidate", Active = "active", Replaced = "replaced", Verifier = "verifier");
column!(Activation, "activation", Auto = "auto", Manual = "manual");

fn unknown(what: &str, text: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a build has the {what} `{text}`, which this version of Gnomon does not know").into())
}

/// The four columns of a state.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct StateColumns {
    stage: Option<String>,
    work: Option<String>,
    role: Option<String>,
    activation: Option<String>,
}

impl StateColumns {
    pub(super) fn state(&self) -> Result<State, sqlx::Error> {
        let (stage, work, role, activation) = match (&self.stage, &self.work, &self.role, &self.activation) {
            (None, None, None, None) => return Ok(State::Retired),
            (Some(stage), Some(work), Some(role), Some(activation)) => (stage, work, role, activation),
            _ => return Err(sqlx::Error::Decode(format!("a build has half a state: {self:?}").into())),
        };
        let kept = Kept {
            stage: Stage::from_sql(stage)?,
            work: Work::from_sql(work)?,
            role: Role::from_sql(role)?,
            activation: Activation::from_sql(activation)?,
        };
        if kept.is_possible() {
            Ok(State::Kept(kept))
        } else {
            Err(sqlx::Error::Decode(format!("a build has an impossible state: {kept:?}").into()))
        }
    }
}

/// The four columns for a state.
pub(super) fn to_columns(state: State) -> [Option<&'static str>; 4] {
    match state {
        State::Retired => [None; 4],
        State::Kept(Kept { stage, work, role, activation }) => {
            [Some(stage.as_sql()), Some(work.as_sql()), Some(role.as_sql()), Some(activation.as_sql())]
        }
    }
}

/// A name out of Postgres.
pub(super) fn identifier(name: String) -> Result<Identifier, sqlx::Error> {
    Identifier::new(name).map_err(|error| sqlx::Error::Decode(error.into()))
}

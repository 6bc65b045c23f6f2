//! The four columns of a build's state in Postgres. A value that this program does not know is an error: to read it as another
//! state could lose a build.

use super::state::{Activation, Kept, Role, Stage, State, Work};
use crate::postgres::{sql_row, sql_text};

macro_rules! column {
    ($column:ident, $name:literal, $($variant:ident = $text:literal),+) => {
        impl $column {
            /// The value in Postgres.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl TryFrom<String> for $column {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                match text.as_str() {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!(
                        "a build has the {} `{other}`, which this version of Gnomon does not know",
                        $name
                    )),
                }
            }
        }

        sql_text!($column);
    };
}

column!(Stage, "stage", Replaying = "replaying", Live = "live");
column!(
    Work,
    "work",
    Running = "running",
    Paused = "paused",
    Halted = "halted",
    Failed = "failed",
    Finished = "finished"
);
column!(
    Role,
    "role",
    Candidate = "candidate",
    Active = "active",
    Replaced = "replaced",
    Verifier = "verifier",
    Past = "past"
);
column!(Activation, "activation", Auto = "auto", Manual = "manual");

/// The four columns of a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct StateColumns {
    pub(super) stage: Option<Stage>,
    pub(super) work: Option<Work>,
    pub(super) role: Option<Role>,
    pub(super) activation: Option<Activation>,
}

sql_row!(StateColumns { stage, work, role, activation });

impl StateColumns {
    pub(super) fn state(self) -> Result<State, sqlx::Error> {
        let kept = match (self.stage, self.work, self.role, self.activation) {
            (None, None, None, None) => return Ok(State::Retired),
            (Some(stage), Some(work), Some(role), Some(activation)) => Kept { stage, work, role, activation },
            _ => return Err(sqlx::Error::Decode(format!("a build has an incomplete state: {self:?}").into())),
        };
        if kept.is_possible() {
            Ok(State::Kept(kept))
        } else {
            Err(sqlx::Error::Decode(format!("a build has an impossible state: {kept:?}").into()))
        }
    }
}

impl From<State> for StateColumns {
    fn from(state: State) -> Self {
        match state {
            State::Retired => Self { stage: None, work: None, role: None, activation: None },
            State::Kept(Kept { stage, work, role, activation }) => {
                Self { stage: Some(stage), work: Some(work), role: Some(role), activation: Some(activation) }
            }
        }
    }
}

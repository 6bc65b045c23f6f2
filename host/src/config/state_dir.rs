//! The folder of what commands remember.

use std::{env, path::PathBuf};

/// The folder in which commands keep what they remember from one run to the next: `$XDG_STATE_HOME/gnomon`, or
/// `~/.local/state/gnomon`. `None` if the user has no home.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    let of_user = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = of_user.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/state")))?;
    Some(state.join("gnomon"))
}

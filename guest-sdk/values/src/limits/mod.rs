//! How large things may be.
//!
//! [`fixed`] has the limits of every host, [`settings`] the defaults of those that an operator can move with an option of
//! `gnomon serve`. `docs/limits.md` lists all of them. A size that is checked against a limit fails with a [`LimitError`].

mod check;
mod fixed;
mod settings;

pub use self::{check::*, fixed::*, settings::*};

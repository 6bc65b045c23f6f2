//! What is known of the log as a whole: how many events, of which types and categories, on which days, and the longest streams.
//!
//! Counting is not the append's work. A task of each host ([`keep`](mod@keep)) follows the log and adds its events to the summary in Postgres, a bounded
//! number in each [`step`](mod@step). Whoever asks ([`read`](mod@read)) gets the summary and the few events behind it, together.

mod counted;
mod keep;
mod pace;
mod read;
mod statistics;
mod step;

pub use self::{
    keep::SummaryKeeper,
    read::{MAX_TAIL_EVENTS, Wanted},
    statistics::{Counts, DayCounts, Ranked, Ranking, Statistics},
    step::KEPT_STREAMS,
};
pub(super) use self::{keep::keep, read::read};

#[cfg(test)]
pub(super) use self::step::{Step, step};

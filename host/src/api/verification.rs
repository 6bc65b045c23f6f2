//! The result of verifying a build.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    comparison::{ComparedBuild, TableComparison},
    open_enum::open_enum,
};

open_enum! {
    /// Why a build differs from the one that was made to verify it.
    DifferenceCause {
        /// It holds dead letters that a retry folded after later events.
        OutOfOrder "out_of_order",
        /// The two have set aside different events.
        DeadLetters "dead_letters",
        /// The module keeps something in memory from one batch to the next, or depends on how events are batched.
        Module "module",
    }
}

/// The answer of `GET /v1/projections/{name}/verify/{verification}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Verification {
    /// The projection.
    pub projection: String,
    /// Both builds hold the effect of every event up to this position, and of no later event.
    pub position: u64,
    /// The number of the verification.
    pub verification: u64,
    /// The build that was verified.
    pub verified: ComparedBuild,
    /// Whether they hold the same rows.
    pub identical: bool,
    /// Why they differ, as far as the host can tell; null if they are identical.
    #[schema(required)]
    pub cause: Option<DifferenceCause>,
    /// The batches of the build that was made to verify it; its module gets fresh memory for each.
    pub batches: Batches,
    /// The hash of all rows; null if the builds differ.
    #[schema(required)]
    pub content_hash: Option<String>,
    /// Each table; left is the build that was verified.
    pub tables: Vec<TableComparison>,
}

/// Batches of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Batches {
    /// How many there were.
    pub count: u64,
    /// Events of all batches together.
    pub events: u64,
    /// Events of the largest batch.
    pub largest: u64,
}

//! The measures of builds.

use crate::{
    builds::{BuildReading, BuildState, Role},
    metrics::{Readings, names},
};

const STATES: [BuildState; 6] = [
    BuildState::Replaying,
    BuildState::Live,
    BuildState::Active,
    BuildState::Paused,
    BuildState::Halted,
    BuildState::Failed,
];

/// Adds what is known of builds. Those that are retired are not among them.
pub(super) fn add(readings: &mut Readings, builds: &[BuildReading]) {
    for state in STATES {
        let count = builds.iter().filter(|build| build.state == state).count();
        readings.add_count(names::BUILDS, &[&state.to_string()], count);
    }
    for build in builds {
        let number = match build.is_verification {
            false => build.number.to_string(),
            true => format!("verification-{}", build.number),
        };
        let projection = build.projection.as_str();
        let labels = [projection, number.as_str()];
        let (version, state) = (build.version.to_string(), build.state.to_string());
        readings.add_count(names::BUILD_STATE, &[projection, &number, &version, &state, build.role.as_str()], 1_u64);
        readings.add_count(names::BUILD_CHECKPOINT, &labels, build.checkpoint.0);
        readings.add_count(names::BUILD_LAG_POSITIONS, &labels, build.lag);
        readings.add(names::BUILD_LAG_SECONDS, &labels, build.lag_seconds);
        readings.add_count(names::BUILD_DEAD_LETTERS, &labels, build.dead_letters);
        readings.add_count(names::BUILD_BLOCKED, &labels, u64::from(build.is_blocked));
        if build.is_running {
            readings.add_count(names::BUILD_LEASED, &labels, u64::from(build.is_leased));
        }
        if build.role == Role::Active {
            readings.add_count(names::PROJECTION_LAG_POSITIONS, &[projection], build.lag);
            readings.add(names::PROJECTION_LAG_SECONDS, &[projection], build.lag_seconds);
        }
    }
}

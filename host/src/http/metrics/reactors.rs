//! The measures of reactors.

use crate::{
    metrics::{Readings, names},
    reactors::ReactorReading,
};

/// Adds what is known of reactors.
pub(super) fn add(readings: &mut Readings, reactors: &[ReactorReading]) {
    for reactor in reactors {
        let (name, version) = (reactor.name.as_str(), reactor.version.to_string());
        readings.add_count(names::REACTOR_STATE, &[name, &version, reactor.work.as_str()], 1_u64);
        readings.add_count(names::REACTOR_CHECKPOINT, &[name], reactor.checkpoint.0);
        readings.add_count(names::REACTOR_LAG_POSITIONS, &[name], reactor.lag);
        readings.add(names::REACTOR_LAG_SECONDS, &[name], reactor.lag_seconds);
        readings.add_count(names::REACTOR_DEAD_LETTERS, &[name], reactor.dead_letters);
    }
}

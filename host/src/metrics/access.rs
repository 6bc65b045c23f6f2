//! What is counted of access.

use super::{counter::Counter, names, register::Register};

/// What is counted of access.
#[derive(Debug)]
pub struct AccessMeasures {
    issuer_failures: Counter,
}

impl AccessMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        Self { issuer_failures: register.counter(names::JWT_KEYS_FAILURES) }
    }

    /// The keys of the issuer of JWTs could not be read.
    pub fn issuer_failed(&self) {
        self.issuer_failures.inc();
    }
}

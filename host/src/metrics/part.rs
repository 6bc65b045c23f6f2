//! A part of a gauge.

use super::counter::Gauge;

/// What one of several has to add to a gauge, which is their sum: hosts of several tenants are in one process. When it is dropped, its part is gone.
#[derive(Debug)]
pub struct GaugePart {
    gauge: Gauge,
    part: i64,
}

impl GaugePart {
    pub(super) fn of(gauge: &Gauge) -> Self {
        Self { gauge: gauge.clone(), part: 0 }
    }

    /// Changes the part.
    pub fn set(&mut self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.gauge.inc_by(count - self.part);
        self.part = count;
    }
}

impl Drop for GaugePart {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_the_sum_of_its_parts() {
        let gauge = Gauge::default();
        let (mut one, mut other) = (GaugePart::of(&gauge), GaugePart::of(&gauge));
        one.set(3);
        other.set(4);
        one.set(1);
        assert_eq!(gauge.get(), 5);
        drop(other);
        assert_eq!(gauge.get(), 1);
    }
}

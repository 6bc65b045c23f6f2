//! Days one after the other.

use gnomon_values::{Day, Instant};

use crate::api::DayStats;

/// The newest days up to the last one that has events, at most so many; those without events are among them. Days are as they were answered
/// where they are no dates.
pub(super) fn without_gaps(days: &[DayStats], most: usize) -> Vec<DayStats> {
    let mut all: Vec<DayStats> = Vec::with_capacity(days.len());
    for day in days.iter().rev() {
        if let (Some(later), Some(this)) = (all.last().and_then(number), number(day)) {
            let room = most.saturating_sub(all.len());
            let without = |day| DayStats { day: Day(day).to_string(), streams: 0, events: 0, bytes: 0 };
            all.extend((this.saturating_add(1)..later).rev().take(room).map(without));
        }
        if all.len() >= most {
            break;
        }
        all.push(day.clone());
    }
    all.reverse();
    all
}

/// Days since 1970-01-01; `None` if it is not one that Gnomon keeps.
fn number(day: &DayStats) -> Option<i32> {
    let Instant(micros) = Instant::parse(&format!("{}T00:00:00Z", day.day)).ok()?;
    i32::try_from(micros / 86_400_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: &[(&str, u64)]) -> Vec<DayStats> {
        days.iter()
            .map(|(day, events)| DayStats { day: (*day).to_owned(), streams: 0, events: *events, bytes: 0 })
            .collect()
    }

    #[test]
    fn days_without_events_are_shown_between_those_with_events() {
        let answered = days(&[("2025-11-01", 7), ("2026-02-27", 3), ("2026-03-02", 1)]);
        let last = days(&[("2026-02-27", 3), ("2026-02-28", 0), ("2026-03-01", 0), ("2026-03-02", 1)]);
        assert_eq!(without_gaps(&answered, 4), last);
        assert_eq!(without_gaps(&answered, 2), last[2..]);
        assert_eq!(without_gaps(&answered, 5)[..2], days(&[("2026-02-26", 0), ("2026-02-27", 3)]));
        assert_eq!(without_gaps(&answered, 1000).len(), 122);
        assert_eq!(without_gaps(&[], 3), []);
        let strange = days(&[("infinity", 1), ("infinity", 2)]);
        assert_eq!(without_gaps(&strange, 3), strange);
    }
}

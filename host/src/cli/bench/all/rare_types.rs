//! A log of 1,000 types of events, of which the projection of the bank wants one, which is rare in places.

use super::bank::Bank;

/// Types beside the one that is wanted.
const OTHERS: u64 = 999;
/// The log is so many stretches, and the wanted type stands in the first hundredth of each: there each tenth event is of it.
const STRETCHES: u64 = 10;
const HUNDREDTH: u64 = 100;
const TENTH: u64 = 10;

/// The first of so many events, as lines of an import. Each of the wanted type opens another account.
pub(super) fn lines(events: u64) -> impl Iterator<Item = String> + Send + 'static {
    let bank = Bank::of_accounts(events);
    (0..events).map(move |number| {
        let mut event = bank.event(number);
        if is_wanted(events, number) {
            return event.to_line();
        }
        event.event_type = "Other";
        event.to_line().replacen(r#""type":"Other""#, &format!(r#""type":"Other{:03}""#, number % OTHERS), 1)
    })
}

fn is_wanted(events: u64, number: u64) -> bool {
    let stretch = events.div_ceil(STRETCHES);
    let within = number % stretch;
    within < stretch.div_ceil(HUNDREDTH) && within.is_multiple_of(TENTH)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn one_of_a_thousand_events_is_wanted_and_most_of_the_log_has_none() {
        let types: Vec<String> = lines(100_000)
            .map(|line| serde_json::from_str::<Value>(&line).unwrap()["type"].as_str().unwrap().to_owned())
            .collect();
        let wanted = |types: &[String]| types.iter().filter(|name| *name == "AccountOpened").count();
        assert_eq!((wanted(&types), types.iter().collect::<HashSet<_>>().len()), (100, 1_000));
        assert_eq!(types.chunks(100).filter(|block| wanted(block) > 0).count(), 10);
    }

    #[test]
    fn a_short_log_has_the_wanted_type_as_well() {
        assert!((0..100).any(|number| is_wanted(100, number)));
    }
}

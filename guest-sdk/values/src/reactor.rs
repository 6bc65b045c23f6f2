//! The description of a reactor.

use std::collections::HashSet;

use crate::{
    declaration::Table,
    description,
    limits::MAX_SINKS,
    names, tables,
    wanted::{self, Wanted},
};

/// The parts of a reactor's description that are checked.
#[derive(Clone, Debug)]
pub struct Reactor<'a> {
    /// What its author says of it.
    pub description: Option<&'a str>,
    /// The tables of its own rows.
    pub tables: Vec<Table<'a>>,
    /// The events that it wants.
    pub wanted: Wanted<'a>,
    /// The sinks that it publishes to or calls.
    pub sinks: Vec<&'a str>,
}

/// Checks the description of a reactor, and returns everything that is wrong with it, in words.
#[must_use]
pub fn check(reactor: &Reactor<'_>) -> Vec<String> {
    let mut reasons = description::check_of_module(reactor.description);
    reasons.extend(tables::check(&reactor.tables, 0, |_| Ok(())));
    reasons.extend(wanted::check(&reactor.wanted));
    let count = reactor.sinks.len();
    if count > MAX_SINKS {
        reasons.push(format!("sinks: {count}; at most {MAX_SINKS} are allowed"));
    }
    let mut seen = HashSet::new();
    for sink in &reactor.sinks {
        if !seen.insert(sink) {
            reasons.push(format!("sink `{sink}` is named twice"));
        }
        reasons.extend(names::check(sink).err().map(|error| format!("sink: {error}")));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reactor<'a>(sinks: &[&'a str]) -> Reactor<'a> {
        let wanted = Wanted { event_types: vec![("Opened", None)], ..Wanted::default() };
        Reactor { description: None, tables: Vec::new(), wanted, sinks: sinks.to_vec() }
    }

    #[test]
    fn a_reactor_needs_neither_tables_nor_sinks() {
        assert_eq!(check(&reactor(&[])), Vec::<String>::new());
        assert_eq!(check(&reactor(&["mail", "bank_api"])), Vec::<String>::new());
    }

    #[test]
    fn sinks_have_names_and_each_is_named_once() {
        assert_eq!(
            check(&reactor(&["mail", "Bank API", "mail"])),
            [
                "sink: the name `Bank API` must be made of a to z, 0 to 9 and _, and must not begin with a digit",
                "sink `mail` is named twice"
            ]
        );
        let many: Vec<String> = (0..101).map(|number| format!("sink_{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(check(&reactor(&many)), ["sinks: 101; at most 100 are allowed"]);
    }

    #[test]
    fn what_it_wants_is_checked_as_for_projections() {
        let nothing = Reactor { wanted: Wanted::default(), ..reactor(&[]) };
        assert_eq!(check(&nothing), ["it wants no type of event"]);
    }
}

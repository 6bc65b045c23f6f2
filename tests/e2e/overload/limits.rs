//! Limits of a host that are small enough to be exceeded tenfold on any machine.

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Append,
    Query,
    Wait,
    Upload,
    Follow,
    Health,
}

/// A limit, and how many clients exceed it.
pub(super) struct Limit {
    pub(super) of: Kind,
    option: &'static str,
    most: usize,
}

pub(super) const LIMITS: &[Limit] = &[
    Limit { of: Kind::Append, option: "--max-appends", most: 10 },
    Limit { of: Kind::Query, option: "--max-reads", most: 8 },
    Limit { of: Kind::Wait, option: "--max-waits", most: 10 },
    Limit { of: Kind::Upload, option: "--max-uploads", most: 2 },
    Limit { of: Kind::Follow, option: "--max-followers", most: 20 },
];

/// The arguments of the host.
pub(super) fn limits() -> Vec<String> {
    let numbers = LIMITS.iter().map(|limit| format!("{}={}", limit.option, limit.most));
    let others = ["--max-connections=10", "--max-bodies-bytes=33554432"].map(str::to_owned);
    numbers.chain(others).collect()
}

/// Ten times what the host takes.
pub(super) fn clients_of(kind: Kind) -> usize {
    10 * LIMITS.iter().find(|limit| limit.of == kind).map_or(1, |limit| limit.most)
}

//! What a limit is.

/// The unit of a limit.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Bytes,
    Seconds,
    Number(&'static str),
}

/// How large something may be.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// The default of an option.
    Option(&'static str, Unit),
    /// The same in every host.
    Fixed(usize, Unit),
    /// A sentence.
    Text(&'static str),
    /// From the first to the second, both included.
    Range(fn() -> [String; 2]),
}

/// Where the error of a broken limit appears.
#[derive(Clone, Copy)]
pub(super) enum ErrorLocation {
    /// The answer to the request is a problem with this code.
    Code(&'static str),
    /// In the `error` of a build, or of a reactor, or of a dead letter.
    Build,
    /// In the `error` of a reactor or of a dead letter.
    Reactor,
    /// Nowhere: the host itself keeps to the limit.
    Nowhere,
}

/// What is limited, by which limit, and where the error appears.
pub(super) type Row = (&'static str, Limit, ErrorLocation);

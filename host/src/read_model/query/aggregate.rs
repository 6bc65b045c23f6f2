//! Aggregate functions.

use super::{
    cast::SqlType,
    cursor::{Cursor, Parsed, Stop},
};

/// A function of the values of many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Sum,
    Avg,
    Count,
    Max,
    Min,
}

/// A function, and the type that its result is cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aggregate {
    pub(super) function: Function,
    pub(super) cast: Option<SqlType>,
}

/// In the order in which errors list them.
const FUNCTIONS: [(&str, Function); 5] = [
    ("sum()", Function::Sum),
    ("avg()", Function::Avg),
    ("count()", Function::Count),
    ("max()", Function::Max),
    ("min()", Function::Min),
];

impl Function {
    /// Reads the call of a function, which alone may follow the point after a field.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Parsed<Self> {
        let called = FUNCTIONS.into_iter().find(|(call, _)| cursor.literal(call));
        called.map(|(_, function)| function).ok_or(Stop::Mismatch)
    }

    /// Its name in SQL, which is that of the result as well.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Max => "max",
            Self::Min => "min",
        }
    }

    /// The type of its result, as Postgres has it.
    pub(super) fn result(self, argument: SqlType) -> SqlType {
        let of_numbers = match (self, argument.element) {
            (Self::Sum, "smallint" | "integer") => "bigint",
            (Self::Sum, "real") => "real",
            (_, "real" | "double precision") => "double precision",
            _ => "numeric",
        };
        match self {
            Self::Max | Self::Min => argument,
            Self::Count => SqlType::plain("bigint"),
            Self::Sum | Self::Avg => SqlType::plain(of_numbers),
        }
    }
}

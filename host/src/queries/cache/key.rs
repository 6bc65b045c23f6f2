//! What an answer answers.

use crate::{
    queries::request::{Count, ReadRequest},
    read_model::query::Shape,
};

/// A longer key is not worth to be kept.
const MAX_KEY_BYTES: usize = 4096;

/// All that an answer depends on beside the rows: the table, the query, how it is wanted, and the limits of the host. Hosts of other versions may
/// write another answer, so the version of the program belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::queries) struct RequestKey(Box<[u8]>);

/// Passes all that an answer to a request depends on beside the rows, part by part. No two requests with different answers have the same parts, put
/// together.
pub(in crate::queries) fn request_parts(request: &ReadRequest<'_>, mut pass: impl FnMut(&[u8])) {
    // Whatever else it may cost, a longer query is refused and has no answer; and plans are never the same.
    let ReadRequest {
        projection,
        table,
        query,
        max_query_bytes: _,
        range,
        shape,
        without_rows,
        count,
        zone,
        plan,
        as_of,
        limits,
    } = request;
    for text in [env!("CARGO_PKG_VERSION"), projection.as_str(), table, query, zone.unwrap_or_default()] {
        pass(&(text.len() as u64).to_be_bytes());
        pass(text.as_bytes());
    }
    let (first, last) = range.map_or((0, None), |range| range.ends());
    // How long it may run and the memory of those that are sent change no answer.
    // Of the same rows the answer is the same, but the present and the past are not to take each other's place.
    let as_of = as_of.map_or(u64::MAX, |position| position.0);
    for number in [limits.max_rows, limits.max_bytes as u64, first, last.unwrap_or(u64::MAX), as_of] {
        pass(&number.to_be_bytes());
    }
    let shape = match shape {
        Shape::List => 0,
        Shape::Object => 1,
        Shape::StrippedList => 2,
        Shape::StrippedObject => 3,
        Shape::Csv => 4,
    };
    let count = match count {
        Count::Uncounted => 0,
        Count::Exact => 1,
        Count::Planned => 2,
        Count::Estimated => 3,
    };
    pass(&[shape, count, u8::from(*without_rows), u8::from(limits.aggregates), u8::from(plan.is_some())]);
}

impl RequestKey {
    /// The key of a request, or `None` if it is too long.
    pub(in crate::queries) fn of(request: &ReadRequest<'_>) -> Option<Self> {
        let mut bytes = 0;
        request_parts(request, |part| bytes += part.len());
        if bytes > MAX_KEY_BYTES {
            return None;
        }
        let mut key = Vec::with_capacity(bytes);
        request_parts(request, |part| key.extend_from_slice(part));
        Some(Self(key.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        event_log::Position,
        queries::{explain::Explain, limits::ReadLimits},
        read_model::{Identifier, query::RowRange},
    };

    #[test]
    fn each_part_of_a_request_belongs_to_its_key() {
        let name = |name: &str| Identifier::new(name).unwrap();
        let (a, ab, limits) = (name("a"), name("ab"), ReadLimits::default());
        let (fewer_rows, fewer_bytes) =
            (ReadLimits { max_rows: 1, ..limits.clone() }, ReadLimits { max_bytes: 1, ..limits.clone() });
        let later = ReadLimits { timeout: std::time::Duration::from_secs(1), ..limits.clone() };
        let without_aggregates = ReadLimits { aggregates: false, ..limits.clone() };
        let request = ReadRequest::new(&a, "bc", "d", &limits);
        let range = |first, last| Some(RowRange::new(first, last).unwrap());
        let different = [
            request,
            ReadRequest { projection: &ab, ..request },
            // The same letters, parted at another place.
            ReadRequest { projection: &ab, table: "c", ..request },
            ReadRequest { table: "b", query: "cd", ..request },
            ReadRequest { query: "", ..request },
            ReadRequest { query: "", zone: Some("d"), ..request },
            ReadRequest { shape: Shape::Object, ..request },
            ReadRequest { shape: Shape::StrippedList, ..request },
            ReadRequest { shape: Shape::StrippedObject, ..request },
            ReadRequest { shape: Shape::Csv, ..request },
            ReadRequest { count: Count::Exact, ..request },
            ReadRequest { count: Count::Planned, ..request },
            ReadRequest { count: Count::Estimated, ..request },
            ReadRequest { range: range(1, None), ..request },
            ReadRequest { range: range(0, Some(1)), ..request },
            ReadRequest { range: range(1, Some(1)), ..request },
            ReadRequest { without_rows: true, ..request },
            ReadRequest { as_of: Some(Position(0)), ..request },
            ReadRequest { as_of: Some(Position(7)), ..request },
            ReadRequest { plan: Some(Explain::default()), ..request },
            ReadRequest { limits: &fewer_rows, ..request },
            ReadRequest { limits: &fewer_bytes, ..request },
            ReadRequest { limits: &without_aggregates, ..request },
        ];
        let keys: BTreeSet<_> = different.iter().map(|request| RequestKey::of(request).unwrap().0).collect();
        assert_eq!(keys.len(), different.len());
        for same in [
            ReadRequest { limits: &later, ..request },
            ReadRequest { max_query_bytes: 9, ..request },
            ReadRequest { range: range(0, None), ..request },
        ] {
            assert_eq!(RequestKey::of(&same), RequestKey::of(&request));
        }
        let longest = "x".repeat(MAX_KEY_BYTES - keys.first().unwrap().len() - 16);
        assert!(RequestKey::of(&ReadRequest { query: &longest, ..request }).is_some());
        let too_long = "x".repeat(MAX_KEY_BYTES);
        assert_eq!(RequestKey::of(&ReadRequest { query: &too_long, ..request }), None);
    }
}

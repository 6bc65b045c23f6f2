//! What an answer answers.

use crate::queries::request::ReadRequest;
use crate::read_model::query::Shape;

/// A longer key is not worth to be kept.
const MAX_KEY_BYTES: usize = 4096;

/// All that an answer depends on beside the rows: the table, the query, how it is wanted, and the limits of the host. Hosts of other versions may
/// write another answer, so the version of the program belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::queries) struct RequestKey(Box<[u8]>);

impl RequestKey {
    /// The key of a request, or `None` if it is too long.
    pub(in crate::queries) fn of(request: &ReadRequest<'_>) -> Option<Self> {
        let ReadRequest { projection, table, query, shape, exact_count, limits } = request;
        let texts = [env!("CARGO_PKG_VERSION"), projection.as_str(), table, query];
        let bytes = texts.iter().map(|text| text.len() + size_of::<u64>()).sum::<usize>() + 3 + 2 * size_of::<u64>();
        if bytes > MAX_KEY_BYTES {
            return None;
        }
        let mut key = Vec::with_capacity(bytes);
        for text in texts {
            key.extend_from_slice(&(text.len() as u64).to_be_bytes());
            key.extend_from_slice(text.as_bytes());
        }
        key.push(match shape {
            Shape::List => 0,
            Shape::Object => 1,
        });
        key.push(u8::from(*exact_count));
        key.push(u8::from(limits.aggregates));
        // How long it may run and the memory of those that are sent change no answer.
        for limit in [limits.max_rows, limits.max_bytes as u64] {
            key.extend_from_slice(&limit.to_be_bytes());
        }
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
    use crate::{queries::limits::ReadLimits, read_model::Identifier};

    #[test]
    fn each_part_of_a_request_belongs_to_its_key() {
        let name = |name: &str| Identifier::new(name).unwrap();
        let (a, ab, limits) = (name("a"), name("ab"), ReadLimits::default());
        let (fewer_rows, fewer_bytes) =
            (ReadLimits { max_rows: 1, ..limits.clone() }, ReadLimits { max_bytes: 1, ..limits.clone() });
        let no_aggregates = ReadLimits { aggregates: false, ..limits.clone() };
        let later = ReadLimits { timeout: std::time::Duration::from_secs(1), ..limits.clone() };
        let request = ReadRequest {
            projection: &a,
            table: "bc",
            query: "d",
            shape: Shape::List,
            exact_count: false,
            limits: &limits,
        };
        let different = [
            request,
            ReadRequest { projection: &ab, ..request },
            // The same letters, parted at another place.
            ReadRequest { projection: &ab, table: "c", ..request },
            ReadRequest { table: "b", query: "cd", ..request },
            ReadRequest { query: "", ..request },
            ReadRequest { shape: Shape::Object, ..request },
            ReadRequest { exact_count: true, ..request },
            ReadRequest { limits: &fewer_rows, ..request },
            ReadRequest { limits: &fewer_bytes, ..request },
            ReadRequest { limits: &no_aggregates, ..request },
        ];
        let keys: BTreeSet<_> = different.iter().map(|request| RequestKey::of(request).unwrap().0).collect();
        assert_eq!(keys.len(), different.len());
        assert_eq!(RequestKey::of(&ReadRequest { limits: &later, ..request }), RequestKey::of(&request));
        let longest = "x".repeat(MAX_KEY_BYTES - keys.first().unwrap().len() - 16);
        assert!(RequestKey::of(&ReadRequest { query: &longest, ..request }).is_some());
        let too_long = "x".repeat(MAX_KEY_BYTES);
        assert_eq!(RequestKey::of(&ReadRequest { query: &too_long, ..request }), None);
    }
}

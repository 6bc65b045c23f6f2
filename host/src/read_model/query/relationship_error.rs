//! The errors of embeddings that mean no relationship, or several.

use super::{
    candidate::Candidate,
    error::{ErrorCode, QueryError},
};

/// How similar a name must be to be suggested, of 1.
const MIN_SIMILARITY: f64 = 0.5;

/// No table of this name is related to the origin. `related` are those that are, `all` those that are related to any.
pub(super) fn not_found(
    origin: &str,
    name: &str,
    hint: Option<&str>,
    projection: &str,
    related: Vec<&str>,
    all: Vec<&str>,
) -> QueryError {
    let by_hint = hint.map(|hint| format!("' using the hint '{hint}")).unwrap_or_default();
    let (instead_of, suggested) = match related.is_empty() {
        false if related.contains(&name) => (name, None),
        false => (name, nearest(name, &related)),
        true => (origin, nearest(origin, &all)),
    };
    QueryError {
        details: Some(format!(
            "Searched for a foreign key relationship between '{origin}' and '{name}{by_hint}' in the schema '{projection}', but no \
             matches were found."
        )),
        hint: suggested.map(|suggested| format!("Perhaps you meant '{suggested}' instead of '{instead_of}'.")),
        ..QueryError::new(
            ErrorCode::NoRelationship,
            format!("Could not find a relationship between '{origin}' and '{name}' in the schema cache"),
        )
    }
}

/// Several relationships are meant.
pub(super) fn ambiguous(origin: &str, name: &str, candidates: Vec<Candidate>) -> QueryError {
    let hints: Vec<_> = candidates.iter().map(|candidate| format!("'{}'", candidate.hint)).collect();
    QueryError {
        hint: Some(format!(
            "Try changing '{name}' to one of the following: {}. Find the desired relationship in the 'details' key.",
            hints.join(", ")
        )),
        ..QueryError::new(
            ErrorCode::Ambiguous(candidates),
            format!("Could not embed because more than one relationship was found for '{origin}' and '{name}'"),
        )
    }
}

fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    // A very long name is similar to none, and would take long to compare.
    let comparable = name.len() <= 2 * gnomon_values::limits::MAX_NAME_BYTES;
    let similar = names.iter().map(|&other| (strsim::normalized_levenshtein(name, other), other));
    let nearest = similar.filter(|(similarity, _)| comparable && *similarity >= MIN_SIMILARITY);
    nearest.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, other)| other)
}

//! What a look has to read of what has changed.

use super::{
    group::Group,
    limits::{QUERIES_OF_STATEMENT, VALUES_OF_STATEMENT},
};

/// Queries by their indexes, as many at a time as a statement may have.
pub(super) fn statements(groups: &[Group], indexes: &[usize]) -> Vec<Vec<usize>> {
    let (mut statements, mut values) = (Vec::<Vec<usize>>::new(), 0);
    for &at in indexes {
        values += groups[at].values;
        match statements.last_mut() {
            Some(last) if last.len() < QUERIES_OF_STATEMENT && values <= VALUES_OF_STATEMENT => last.push(at),
            _ => {
                statements.push(vec![at]);
                values = groups[at].values;
            }
        }
    }
    statements
}

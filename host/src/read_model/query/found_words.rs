//! The words that the filters of a query search for in a full-text index: ranks and snippets are of them.

use super::{
    condition::{Condition, Operand, Test, Words},
    error::QueryError,
    logic::Logic,
};
use crate::read_model::{Index, Table};

/// A full-text index, and the words that a query searches for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundWords<'t> {
    pub(super) index: &'t Index,
    /// Those of each filter on the index that is not negated; at least one.
    pub(super) words: Vec<Words>,
}

impl<'t> FoundWords<'t> {
    /// What the conditions on a table search for in the index of this name. `wanted` is what they are needed for: `order=words.rank`.
    ///
    /// # Errors
    /// No condition does, or the name is not that of a full-text index.
    pub(super) fn of(table: &'t Table, name: &str, conditions: &[Logic<'t>], wanted: &str) -> Result<Self, QueryError> {
        let mut found = Self::not_yet(table, name, wanted)?;
        conditions.iter().for_each(|logic| collect(logic, found.index, &mut found.words));
        match found.words.is_empty() {
            true => Err(QueryError::no_words(name, wanted)),
            false => Ok(found),
        }
    }

    /// The index of this name, without the words, as long as the conditions are not known.
    ///
    /// # Errors
    /// The name is not that of a full-text index.
    pub(super) fn not_yet(table: &'t Table, name: &str, wanted: &str) -> Result<Self, QueryError> {
        let index = table.index(name).filter(|index| index.is_full_text());
        let index = index.ok_or_else(|| QueryError::not_full_text(name, wanted))?;
        Ok(Self { index, words: Vec::new() })
    }
}

fn collect(logic: &Logic<'_>, index: &Index, found: &mut Vec<Words>) {
    match logic {
        Logic::Condition(Condition {
            operand: Operand::Words(searched),
            negated: false,
            test: Test::FullText(words),
        }) if searched.name == index.name => {
            found.push(words.clone());
        }
        Logic::Group { negated: false, parts, .. } => parts.iter().for_each(|part| collect(part, index, found)),
        _ => {}
    }
}

//! The tables of a module, as a whole.

use std::collections::HashSet;

use crate::{
    declaration::{self, Table},
    limits::MAX_TABLES,
};

/// Checks that there are at least `min` tables and not too many, that each is valid by itself and by a rule of the module's kind, and
/// that references lead to tables that are there. Returns everything that is wrong, in words.
pub(crate) fn check(tables: &[Table<'_>], min: usize, rule: impl Fn(&Table<'_>) -> Result<(), String>) -> Vec<String> {
    let mut reasons = Vec::new();
    let count = tables.len();
    if count < min || count > MAX_TABLES {
        reasons.push(format!("tables: {count}; {min} to {MAX_TABLES} are allowed"));
    }
    let mut names = HashSet::new();
    for table in tables {
        if !names.insert(table.name) {
            reasons.push(format!("table `{}` is declared twice", table.name));
        }
        let errors = declaration::check(table);
        if errors.is_empty() {
            reasons.extend(rule(table).err());
        }
        reasons.extend(errors.iter().map(ToString::to_string));
    }
    check_references(tables, &mut reasons);
    reasons
}

/// Checks that each reference is to the whole key of a table of the module, by columns of its types. That the columns exist is
/// checked with their table.
fn check_references(tables: &[Table<'_>], reasons: &mut Vec<String>) {
    for (table, reference) in tables.iter().flat_map(|table| table.references.iter().map(move |its| (table, its))) {
        let (from, to) = (table.name, reference.table);
        let Some(target) = tables.iter().find(|target| target.name == to) else {
            reasons.push(format!("table `{from}` references `{to}`, which is not one of the module's tables"));
            continue;
        };
        if reference.columns.len() != target.key.len() {
            let (columns, key) = (reference.columns.join(", "), target.key.join(", "));
            reasons.push(format!(
                "table `{from}`: ({columns}) references `{to}`, whose key is ({key}): give a column for each"
            ));
            continue;
        }
        for (column, key) in reference.columns.iter().zip(&target.key) {
            if let (Some(left), Some(right)) = (table.column(column), target.column(key))
                && left.column_type != right.column_type
            {
                reasons.push(format!(
                    "table `{from}`: column `{column}` is {}, but it references `{to}`, whose key column `{key}` is {}",
                    left.column_type, right.column_type
                ));
            }
        }
    }
}

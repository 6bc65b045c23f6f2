//! Why something of a read model is not read.

use super::error::PostgrestError;
use crate::{
    builds::ChangeError,
    http::{prefer::InvalidPreferences, problem::Problem},
    operations::OperateError,
    queries::ReadError,
};

/// PostgREST's code for an unknown table.
const MISSING: &str = "PGRST205";
/// How much alike a name has to be to be suggested, of 1.
const MIN_ALIKE: f64 = 0.75;
/// Names of tables are shorter.
const MAX_COMPARED_BYTES: usize = 128;

/// Why a table is not read. PostgREST has codes of its own for some of the errors.
pub(super) enum ReadTableError {
    Postgrest(PostgrestError),
    Read(ReadError),
    Other(Problem),
}

impl From<PostgrestError> for ReadTableError {
    fn from(error: PostgrestError) -> Self {
        Self::Postgrest(error)
    }
}

impl From<InvalidPreferences> for ReadTableError {
    fn from(error: InvalidPreferences) -> Self {
        Self::Postgrest(error.into())
    }
}

impl From<OperateError> for ReadTableError {
    fn from(error: OperateError) -> Self {
        // That there is no such projection has a code of PostgREST.
        match error {
            OperateError::Change(ChangeError::NoProjection(name)) => Self::Read(ReadError::NoProjection(name)),
            error => Self::Other(error.into()),
        }
    }
}

impl From<ReadError> for ReadTableError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// The problem, with the code and the text of PostgREST where it has some for the error.
pub(super) fn to_problem(refusal: ReadTableError) -> Problem {
    match refusal {
        ReadTableError::Postgrest(error) => error.into(),
        ReadTableError::Read(ReadError::NoTable { projection, table, tables }) => {
            let message = format!("Could not find the table '{projection}.{table}' in the schema cache");
            let hint = near(&table, &tables).map(|near| format!("Perhaps you meant the table '{projection}.{near}'"));
            let error = ReadError::NoTable { projection, table, tables };
            Problem::from(error).with_postgrest_code(MISSING, None, hint.as_deref()).with("message", message)
        }
        ReadTableError::Read(error @ ReadError::NoProjection(_)) => {
            Problem::from(error).with_postgrest_code(MISSING, None, None)
        }
        ReadTableError::Read(error) => error.into(),
        ReadTableError::Other(problem) => problem,
    }
}

/// The table whose name is most like another name, if it is as alike as PostgREST wants it.
fn near<'t>(name: &str, tables: &'t [String]) -> Option<&'t str> {
    // Comparing a very long name would be expensive.
    if name.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let alike = tables.iter().map(|table| (strsim::normalized_levenshtein(name, table), table.as_str()));
    let most = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (most.0 >= MIN_ALIKE).then_some(most.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::Identifier;

    #[test]
    fn a_table_is_suggested_if_three_quarters_of_its_name_are_the_same() {
        let tables = ["projects", "clients"].map(str::to_owned);
        for (name, found) in [
            ("projectx", Some("projects")),
            ("projecxx", Some("projects")),
            ("projxxxx", None),
            ("client", Some("clients")),
            ("", None),
        ] {
            assert_eq!(near(name, &tables), found, "{name}");
        }
        assert_eq!(near(&"p".repeat(1000), &tables), None);
        assert_eq!(near("projects", &[]), None);
    }

    #[test]
    fn a_missing_table_is_told_in_the_words_of_postgrest() {
        let projection = Identifier::new("bank").unwrap();
        let error = ReadError::NoTable { projection, table: "acounts".to_owned(), tables: vec!["accounts".to_owned()] };
        let problem = to_problem(error.into());
        for (name, value) in [
            ("code", "PGRST205"),
            ("message", "Could not find the table 'bank.acounts' in the schema cache"),
            ("hint", "Perhaps you meant the table 'bank.accounts'"),
            ("detail", "projection `bank` has no table `acounts`; it has accounts"),
        ] {
            assert_eq!(problem.get(name).unwrap(), value);
        }
    }
}

//! What a plan is to say.

/// What a plan is to say of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explain {
    /// Its form.
    pub format: PlanFormat,
    /// Whether the query is run, and what each step took.
    pub analyze: bool,
    /// The columns of each step.
    pub verbose: bool,
    /// The settings that are not the usual ones.
    pub settings: bool,
    /// The pages that are read.
    pub buffers: bool,
    /// What is written to the write-ahead log; Postgres refuses it without `analyze`.
    pub wal: bool,
}

/// The form of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanFormat {
    /// Lines for people.
    #[default]
    Text,
    /// JSON.
    Json,
}

impl Explain {
    /// The names of the options that are on, in the order of PostgREST.
    #[must_use]
    pub fn options(&self) -> Vec<&'static str> {
        let all = [
            (self.analyze, "analyze"),
            (self.verbose, "verbose"),
            (self.settings, "settings"),
            (self.buffers, "buffers"),
            (self.wal, "wal"),
        ];
        all.into_iter().filter_map(|(is_on, name)| is_on.then_some(name)).collect()
    }

    /// What stands before the statement whose plan it is.
    pub(super) fn sql(&self) -> String {
        let format = match self.format {
            PlanFormat::Text => "FORMAT TEXT",
            PlanFormat::Json => "FORMAT JSON",
        };
        let options: String = self.options().iter().map(|option| format!(", {}", option.to_uppercase())).collect();
        format!("EXPLAIN ({format}{options})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_options_that_are_on_are_written() {
        assert_eq!(Explain::default().sql(), "EXPLAIN (FORMAT TEXT)");
        let all = Explain {
            format: PlanFormat::Json,
            analyze: true,
            verbose: true,
            settings: true,
            buffers: true,
            wal: true,
        };
        assert_eq!(all.sql(), "EXPLAIN (FORMAT JSON, ANALYZE, VERBOSE, SETTINGS, BUFFERS, WAL)");
    }
}

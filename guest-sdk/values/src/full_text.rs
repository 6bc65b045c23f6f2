//! What a full-text index knows of languages and weights.

/// The text search configurations of Postgres 14, the oldest that a host runs on, in order.
pub const LANGUAGES: [&str; 29] = [
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "simple",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

/// How much the words of a column count, where results are ranked: `A` most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Weight {
    /// As in titles.
    A,
    /// As in headings.
    B,
    /// As in summaries.
    C,
    /// As in bodies; what Postgres gives words of which nothing else is said.
    D,
}

impl Weight {
    /// Every weight.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// The letter of the weight, as Postgres writes it.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// The weight of a letter.
    #[must_use]
    pub fn of_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|weight| weight.letter() == letter)
    }
}

/// Checks the language of a full-text index.
///
/// # Errors
/// Lists the languages that Postgres knows.
pub fn check_language(language: &str) -> Result<(), String> {
    if LANGUAGES.contains(&language) {
        return Ok(());
    }
    Err(format!("Postgres has no text search for `{language}`; it has {}", LANGUAGES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_postgres_does_not_know_is_refused_with_those_that_it_knows() {
        assert!(LANGUAGES.is_sorted());
        assert_eq!(check_language("english"), Ok(()));
        let error = check_language("English").unwrap_err();
        assert!(error.starts_with("Postgres has no text search for `English`; it has arabic, "), "{error}");
    }

    #[test]
    fn a_weight_is_known_by_its_letter() {
        for weight in Weight::ALL {
            assert_eq!(Weight::of_letter(weight.letter()), Some(weight));
        }
        assert_eq!(Weight::of_letter("a"), None);
    }
}

//! Words: whether they are found, how well they fit, and where they stand.

use gnomon_values::limits::MAX_FULL_TEXT_CHARS;

use super::writer::Writer;
use crate::read_model::{
    ColumnType, Index, IndexKind,
    full_text::{self, bounded},
    query::{
        condition::{Words, WordsForm},
        found_words::FoundWords,
        limits::{MAX_SNIPPET_CHARS, SNIPPET_FRAGMENTS, SNIPPET_WORDS},
    },
};

/// The configuration for words of which no language is known. That of the server's settings would differ from server to server.
const NO_LANGUAGE: &str = "pg_catalog.simple";

/// What HTML reads in a text, and how it is written there. The ampersand comes first.
const ESCAPED: [(&str, &str); 5] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("''", "&#39;")];

impl Writer<'_> {
    /// Whether a text or json has the words. PostgREST would take the language of the server's settings.
    pub(super) fn text_has(&mut self, text: &str, column_type: ColumnType, words: &Words) -> String {
        let language = words.language.as_deref().unwrap_or(NO_LANGUAGE);
        let text = match column_type.has_words() {
            true => bounded(text, MAX_FULL_TEXT_CHARS),
            false => text.to_owned(),
        };
        let vector = format!("to_tsvector({}, {text})", self.bind(language.to_owned(), "regconfig"));
        format!("{vector} @@ {}", self.words_query(language, words))
    }

    /// Whether the texts of a full-text index have the words. The expression is that of the index, which Postgres then uses.
    pub(super) fn index_has(&mut self, index: &Index, words: &Words) -> String {
        let query = self.words_query(words.language.as_deref().unwrap_or(language_of(index)), words);
        format!("({}) @@ {query}", self.vector(index))
    }

    /// How well the texts of an index fit the words that the query searches for: how often they stand there, and with which weights.
    pub(super) fn rank(&mut self, found: &FoundWords<'_>) -> String {
        let query = self.all_words(found);
        format!("ts_rank({}, {query})", self.vector(found.index))
    }

    /// Parts of the texts of an index with the words in `<mark>`. The texts are escaped before, so there are no other tags, whatever they say.
    pub(super) fn snippet(&mut self, found: &FoundWords<'_>) -> String {
        let IndexKind::FullText { language, columns } = &found.index.kind else { return "NULL".to_owned() };
        let texts = columns.iter().map(|(column, _)| {
            let name = self.column(&self.resource.table.columns()[*column]);
            bounded(&name, MAX_SNIPPET_CHARS / columns.len().max(1))
        });
        let texts = format!("concat_ws(' … ', {})", texts.collect::<Vec<_>>().join(", "));
        let escaped =
            ESCAPED.iter().fold(texts, |text, (plain, written)| format!("replace({text}, '{plain}', '{written}')"));
        let query = self.all_words(found);
        format!(
            "ts_headline('pg_catalog.{language}'::regconfig, {escaped}, {query}, 'StartSel=<mark>, StopSel=</mark>, \
             MaxFragments={SNIPPET_FRAGMENTS}, MaxWords={SNIPPET_WORDS}, MinWords={}, FragmentDelimiter=\" … \"')",
            SNIPPET_WORDS / 2
        )
    }

    fn vector(&self, index: &Index) -> String {
        full_text::words(self.resource.table, index, &format!("{}.", self.table))
    }

    /// The words of all filters on an index, each on its own: any of them counts, in whatever order, and those that are not wanted do not.
    ///
    /// The time that ranks and snippets take grows with the text then. For words that all must be there, in an order perhaps, it grows with
    /// the power of how many they are: four words as a phrase in 100,000 characters take Postgres all memory that there is.
    fn all_words(&mut self, found: &FoundWords<'_>) -> String {
        let own = language_of(found.index);
        let queries = found.words.iter().map(|words| self.words_query(words.language.as_deref().unwrap_or(own), words));
        let queries = queries.collect::<Vec<_>>().join(" || ");
        format!("regexp_replace(querytree({queries}), '&|<(-|\\d+)>', '|', 'g')::tsquery")
    }

    fn words_query(&mut self, language: &str, words: &Words) -> String {
        let function = match words.form {
            WordsForm::Operators => "to_tsquery",
            WordsForm::Plain => "plainto_tsquery",
            WordsForm::Phrase => "phraseto_tsquery",
            WordsForm::Web => "websearch_to_tsquery",
        };
        let language = self.bind(language.to_owned(), "regconfig");
        format!("{function}({language}, {})", self.bind(words.query.clone(), "text"))
    }
}

/// The language of a full-text index.
fn language_of(index: &Index) -> &str {
    match &index.kind {
        IndexKind::FullText { language, .. } => language,
        _ => NO_LANGUAGE,
    }
}

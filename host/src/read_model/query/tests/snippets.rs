//! Snippets: parts of texts with the words that a query searches for.

use super::{
    database::{Database, list, qualified, statement},
    full_text::articles,
};
use crate::read_model::query::Param;

/// The snippets of all rows that a query finds.
fn snippets(database: &Database, query: &str) -> Vec<String> {
    let table = articles();
    let answer = database.answer(&table, &format!("{query}&select=words.snippet()&order=id"), &list()).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
    rows.iter().map(|row| row["snippet"].as_str().unwrap().to_owned()).collect()
}

fn articles_of(rows: &[(Option<&str>, Option<&str>)]) -> Database {
    let (database, table) = (Database::create(), articles());
    database.create_table(&table);
    for ((title, body), id) in rows.iter().zip(0_i64..) {
        let param = |text: &Option<&str>| text.map(|text| Param::Text(text.to_owned()));
        let mut params = vec![Param::I64(id)];
        let mut placeholder = |param: Option<Param>| match param {
            Some(param) => {
                params.push(param);
                format!("${}", params.len())
            }
            None => "NULL".to_owned(),
        };
        let values = [placeholder(param(title)), placeholder(param(body))].join(", ");
        let text = format!("INSERT INTO {} VALUES ($1, {values})", qualified(&table));
        database.fetch(&statement(text, params)).unwrap();
    }
    database
}

#[test]
fn a_snippet_marks_the_words_in_all_their_forms() {
    let database = articles_of(&[
        (Some("Shadows"), Some("A shadow of a sundial")),
        (None, Some("the SHADOW")),
        (Some("Nothing"), None),
    ]);
    assert_eq!(
        snippets(&database, "words=wfts.shadow"),
        ["<mark>Shadows</mark> … A <mark>shadow</mark> of a sundial", "<mark>SHADOW</mark>"]
    );
    // Any of the words counts, also those of several filters.
    assert_eq!(
        snippets(&database, "words=wfts.shadow&or=(words.wfts.sundial,words.wfts.xyz)"),
        ["<mark>Shadows</mark> … A <mark>shadow</mark> of a <mark>sundial</mark>"]
    );
}

#[test]
fn a_snippet_has_no_other_markup_than_its_marks() {
    let hostile = [
        "<mark>sundial</mark> is not a shadow",
        "<script>x()</script> shadow",
        "shadow </mark><img src=x onerror=alert(1)>",
        "a & b < shadow > c \"d\" 'e' &lt;mark&gt; &amp;",
        "&#60;mark&#62; shadow &mark;",
        "<b\nclass='shadow'>shadow",
        "http://example.org/?a=1&b=<shadow> shadow",
        "</MARK> shadow <!-- shadow -->",
    ];
    let rows: Vec<_> = hostile.iter().map(|body| (None, Some(*body))).collect();
    let database = articles_of(&rows);
    let found = snippets(&database, "words=wfts.shadow");
    assert_eq!(found.len(), hostile.len());
    for snippet in &found {
        assert!(snippet.contains("<mark>"), "{snippet}");
        let plain = snippet.replace("<mark>", "").replace("</mark>", "");
        assert!(!plain.contains(['<', '>', '"', '\'']), "{snippet}");
        // What is left is escaped: each ampersand begins one of the five.
        for (at, _) in plain.match_indices('&') {
            let written = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
            assert!(written.iter().any(|written| plain[at..].starts_with(written)), "{snippet}");
        }
        // Marks are closed and not nested.
        for part in snippet.split("<mark>").skip(1) {
            assert_eq!(part.matches("</mark>").count(), 1, "{snippet}");
        }
    }
    // A snippet begins with a word; else it is what a browser shows of the text.
    assert_eq!(found[0], "mark&gt;sundial&lt;/mark&gt; is not a <mark>shadow</mark>");
}

#[test]
fn a_snippet_is_short_and_soon_made() {
    let long = format!("{} shadow {}", "word ".repeat(3_000), "a_".repeat(50_000));
    let database = articles_of(&[(Some("x"), Some(&long)), (None, Some(&"shadow ".repeat(14_000)))]);
    let begun = std::time::Instant::now();
    // Beside the words in question, those that would take Postgres all memory or hours if they were searched for as they are.
    let all = vec!["shadow"; 280].join(" ");
    for query in [
        "words=wfts.shadow".to_owned(),
        "words=wfts.\"shadow shadow shadow shadow\" or shadow".to_owned(),
        format!("words=plfts.{all}"),
        "words=fts.shadow<2>shadow<->shadow|shadow".to_owned(),
        "words=wfts.shadow -nothing".to_owned(),
    ] {
        let snippets = snippets(&database, &query);
        assert_eq!(snippets.len(), 2, "{query}");
        for snippet in snippets {
            assert!(snippet.len() < 2_000, "{query}: {} bytes", snippet.len());
        }
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

//! Rows that no table can hold, and calls that the contract does not allow.

use gnomon::runtime::FailureKind;

use crate::run::{failure, writes};

/// The message for a guest, without the part that is the same for all.
fn broke(name: &str, word: &str) -> String {
    let failure = failure(name, word);
    assert_eq!((failure.kind, failure.position.0), (FailureKind::BrokeContract, 3), "{name} {word}: {failure}");
    format!("{word}: {}", failure.message)
}

#[test]
fn rows_must_fit_their_table() {
    let words = [
        "another type",
        "too few cells",
        "too many cells",
        "null key",
        "no cells",
        "too large",
        "large bytes",
        "large array",
        "text for case-insensitive text",
        "another array",
        "batch",
    ];
    assert_eq!(
        words.map(|word| broke("wrong_row", word)),
        [
            "another type: table `notes`: column `position` has type i64, but the module passed a value of type text",
            "too few cells: table `notes`: a row has 3 values, but the module passed 1",
            "too many cells: table `notes`: a row has 3 values, but the module passed 4",
            "null key: table `notes`: column `position` must not be null",
            "no cells: table `notes`: a row has 3 values, but the module passed 0",
            "too large: table `notes`: bytes of a row: 1048603; the limit max_row_bytes is 1048576",
            "large bytes: table `everything`: bytes of a row: 1048728; the limit max_row_bytes is 1048576",
            "large array: table `everything`: bytes of a row: 1048728; the limit max_row_bytes is 1048576",
            "text for case-insensitive text: table `everything`: column `mail` has type citext, but the module passed a value \
             of type text",
            "another array: table `everything`: column `tags` has type text[], but the module passed a value of type i64[]",
            "batch: table `notes`: bytes of the rows of one batch: 67125632; the limit max_batch_write_bytes is 67108864",
        ]
    );
}

#[test]
fn rows_must_fit_postgres() {
    let words = [
        "nul in text",
        "no decimal",
        "long decimal",
        "long fraction",
        "early instant",
        "late instant",
        "first integer",
        "early day",
        "late day",
        "no json",
        "deep json",
        "nul in json",
        "large index",
        "large key",
        "early local timestamp",
        "late local timestamp",
        "early time",
        "late time",
        "nul in case-insensitive text",
        "nul in an element",
        "large index of case-insensitive text",
        "large element",
    ];
    assert_eq!(
        words.map(|word| broke("wrong_row", word)),
        [
            "nul in text: table `notes`: column `text`: the text contains NUL (\\0), which Postgres cannot hold",
            "no decimal: table `everything`: `1e5` is not a decimal number: write digits with an optional sign and point, such \
             as -12.50",
            "long decimal: table `everything`: a decimal number may have 131072 digits before the point and 16383 after it, \
             but this one has 200000 and 0",
            "long fraction: table `everything`: a decimal number may have 131072 digits before the point and 16383 after it, \
             but this one has 0 and 20000",
            "early instant: table `everything`: column `instant`: 0000-12-31T23:59:59.999999Z is before \
             0001-01-01T00:00:00Z, the first instant that Gnomon keeps",
            "late instant: table `everything`: column `instant`: +10000-01-01T00:00:00Z is after \
             9999-12-31T23:59:59.999999Z, the last instant that Gnomon keeps",
            "first integer: table `everything`: column `instant`: -290308-12-21T19:59:05.224192Z is before \
             0001-01-01T00:00:00Z, the first instant that Gnomon keeps",
            "early day: table `everything`: column `day`: 0000-12-31 is before 0001-01-01, the first day that Gnomon keeps",
            "late day: table `everything`: column `day`: +10000-01-01 is after 9999-12-31, the last day that Gnomon keeps",
            "no json: table `everything`: not JSON: EOF while parsing an object at line 1 column 1",
            "deep json: table `everything`: arrays and objects in the JSON are nested deeper than the limit of 127",
            "nul in json: table `everything`: a string or key in the JSON contains NUL (\\u0000), which Postgres cannot hold",
            "large index: table `everything`: the values of index `by_indexed` have 10000 bytes; an index holds at most 2400 \
             (put a digest there instead)",
            "large key: table `everything`: the values of the key have 10000 bytes; an index holds at most 2400 (put a \
             digest there instead)",
            "early local timestamp: table `everything`: column `local`: 0000-12-31T23:59:59.999999 is before \
             0001-01-01T00:00:00, the first date and time that Gnomon keeps",
            "late local timestamp: table `everything`: column `local`: +10000-01-01T00:00:00 is after \
             9999-12-31T23:59:59.999999, the last date and time that Gnomon keeps",
            "early time: table `everything`: column `time`: -1 microseconds after midnight is not a time of day; the last is \
             23:59:59.999999, 86399999999 microseconds",
            "late time: table `everything`: column `time`: 86400000000 microseconds after midnight is not a time of day; the \
             last is 23:59:59.999999, 86399999999 microseconds",
            "nul in case-insensitive text: table `everything`: column `mail`: the text contains NUL (\\0), which Postgres \
             cannot hold",
            "nul in an element: table `everything`: column `tags`: the text contains NUL (\\0), which Postgres cannot hold",
            "large index of case-insensitive text: table `everything`: the values of index `by_mail` have 10000 bytes; an \
             index holds at most 2400 (put a digest there instead)",
            "large element: table `everything`: the values of index `by_tags` have 2401 bytes; an index holds at most 2400 \
             (put a digest there instead)",
        ]
    );
}

#[test]
fn the_outermost_values_fit() {
    assert_eq!(writes("wrong_row", "outermost").tables()[1].written().count(), 18);
}

#[test]
fn calls_must_keep_the_contract() {
    let words = [
        "put unknown table",
        "delete unknown table",
        "get unknown table",
        "find unknown table",
        "find unknown index",
        "find without values",
        "find too many values",
        "find another type",
        "find case-insensitive text",
        "find by a gin index",
        "get empty key",
        "get null key",
        "delete long key",
        "delete another type",
        "get too many keys",
        "find too many rows",
        "turn elsewhere",
    ];
    assert_eq!(
        words.map(|word| broke("wrong_call", word)),
        [
            "put unknown table: the module declares no table `secrets`".to_owned(),
            "delete unknown table: the module declares no table `secrets`".to_owned(),
            format!("get unknown table: the module declares no table `{}…`", "x".repeat(97)),
            "find unknown table: the module declares no table `secrets`".to_owned(),
            "find unknown index: the module declares no index `by_smell` of table `notes`".to_owned(),
            "find without values: table `notes`: a find has 1 values, but the module passed 0".to_owned(),
            "find too many values: table `notes`: a find has 1 values, but the module passed 2".to_owned(),
            "find another type: table `notes`: column `color` has type text, but the module passed a value of type i64"
                .to_owned(),
            "find case-insensitive text: table `articles`: find cannot search by the index `by_author`: only queries compare \
             case-insensitive text; keep a lower-case copy as text, and search for that"
                .to_owned(),
            "find by a gin index: table `articles`: find cannot search by the index `by_tags`: it is not a B-tree; gin and \
             full-text indexes are for queries"
                .to_owned(),
            "get empty key: table `notes`: a key has 1 values, but the module passed 0".to_owned(),
            "get null key: table `notes`: column `position` must not be null".to_owned(),
            "delete long key: table `notes`: a key has 1 values, but the module passed 2".to_owned(),
            "delete another type: table `notes`: column `position` has type i64, but the module passed a value of type text"
                .to_owned(),
            "get too many keys: table `notes`: keys of one get-many: 100001; the limit max_get_keys is 100000"
                .to_owned(),
            "find too many rows: table `notes`: rows of one find: 10001; the limit max_find_rows is 10000".to_owned(),
            "turn elsewhere: it called `cursor.at` with position 1003, which is not in the batch".to_owned(),
        ]
    );
}

#[test]
fn a_list_that_is_huge_in_the_host_s_memory_is_refused() {
    let failure = failure("alias_lists", "");
    assert_eq!(failure.kind, FailureKind::BrokeContract);
    assert_eq!(
        failure.to_string(),
        "the module broke the contract at position 3: it passed more data to the host in one call than the limit max_call_bytes \
         allows"
    );
}

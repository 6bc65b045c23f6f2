//! Modules that are refused at upload.

use std::time::Duration;

use gnomon::runtime::RuntimeLimits;
use test_support::guest;

use crate::run::{LIMITS, load, refused, runtime};

#[test]
fn an_import_outside_of_the_contract_is_named() {
    let reasons = refused("import_sockets");
    assert!(
        reasons.iter().all(|reason| reason
            .ends_with("which modules may not import: a module has access to its events and its rows only")),
        "{reasons:?}"
    );
    assert!(reasons.iter().any(|reason| reason.starts_with("it imports `wasi:sockets/tcp@0.2.")), "{reasons:?}");
}

#[test]
fn another_version_of_the_contract_is_named_with_the_way_out() {
    assert_eq!(
        refused("other_contract"),
        [
            "it is built for contract 0.3, but this host runs contract 0.2: run a newer gnomon, or build it with gnomon-sdk 0.2"
        ]
    );
}

#[test]
fn every_error_of_a_descriptor_is_reported() {
    assert_eq!(
        refused("bad_descriptor"),
        [
            "the description has 1001 bytes; at most 1000 are allowed",
            "table `twice`: the description is empty",
            "table `twice`: column `id` is declared twice",
            "table `twice`: a column must not be called `select`, the query language of the HTTP API uses that name",
            "table `twice`: a column must not be called `xmin`, Postgres uses that name",
            "table `twice`: column: the name `No Name` must be made of a to z, 0 to 9 and _, and must not begin with a digit",
            "table `twice`: key column `id` is declared twice",
            "table `twice`: index `by_id` is declared twice",
            "table `twice`: index `by_id` names `nothing`, which is not a column of the table",
            "table `twice`: the reference to `keys` names `gone`, which is not a column of the table",
            "table `twice` is declared twice",
            "table `twice`: columns: 0; 1 to 250 are allowed",
            "table `twice`: key columns: 0; 1 to 16 are allowed",
            "table `keys`: column `json` cannot be part of the key because it is json, which has no order",
            "table `keys`: column `float` cannot be part of the key because it is f64, whose values are not exact",
            "table `keys`: column `optional` cannot be part of the key because it is nullable",
            "table `keys`: index `by_json`: column `json` is json, but the index needs values that have an order; a gin index finds what json and arrays contain",
            "table `kinds`: column `mail`: the description contains the control character '\\u{1}'",
            "table `kinds`: column `mail` cannot be part of the key because it is case-insensitive, so two spellings would be one row; keep a lower-case copy as text",
            "table `kinds`: column `tags` cannot be part of the key because it is an array",
            "table `kinds`: index `by_tags`: column `tags` is text[], but the index needs values that have an order; a gin index finds what json and arrays contain",
            "table `kinds`: index `in_body`: column `body` is text, but the index needs json or arrays",
            "table `kinds`: index `body`: Postgres has no text search for `klingon`; it has arabic, armenian, basque, catalan, danish, dutch, english, finnish, french, german, greek, hindi, hungarian, indonesian, irish, italian, lithuanian, nepali, norwegian, portuguese, romanian, russian, serbian, simple, spanish, swedish, tamil, turkish, yiddish",
            "table `kinds`: index `body` has the name of a column; queries name full-text indexes like columns",
            "table `kinds`: index `body`: column `tags` is text[], but the index needs text",
            "table `kinds`: columns of index `nothing`: 0; 1 to 16 are allowed",
            "table `twice`: (gone) references `keys`, whose key is (json, float, optional): give a column for each",
            "table `kinds` references `nowhere`, which is not one of the module's tables",
            "table `kinds`: (id) references `keys`, whose key is (json, float, optional): give a column for each",
            "table `kinds`: column `id` is i64, but it references `kinds`, whose key column `mail` is citext",
            "table `kinds`: column `id` is i64, but it references `kinds`, whose key column `tags` is text[]",
            "it wants no type of event",
            "the category `account-7` has a `-`; a category is what stands before the first `-` of a stream's name",
            "the tag must not be empty",
            "tag `course:c1` is named twice",
            &format!("the tag `{}` has 257 bytes; at most 256 are allowed", "t".repeat(257)),
            "the version of its SDK has more than 100 bytes, or control characters",
        ]
    );
}

#[test]
fn describe_has_a_deadline() {
    let limits = RuntimeLimits { max_batch_time: Duration::from_millis(100), ..LIMITS };
    let reasons = load(&runtime(limits), &guest("endless_describe")).unwrap_err().reasons;
    assert_eq!(
        reasons,
        [
            "its `describe` failed: the module took too long: it computed for more than 0.1 s; the limit is max_batch_time"
        ]
    );
}

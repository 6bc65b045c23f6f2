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
fn another_version_of_the_contract_is_named() {
    assert_eq!(
        refused("other_contract"),
        [
            "it is built for contract gnomon:module@0.2.0, but this host supports gnomon:module@0.1.0; build it with the gnomon-sdk of that version"
        ]
    );
}

#[test]
fn every_error_of_a_descriptor_is_reported() {
    assert_eq!(
        refused("bad_descriptor"),
        [
            "table `twice`: column `id` is declared twice",
            "table `twice`: a column must not be called `select`, the query language of the HTTP API uses that name",
            "table `twice`: a column must not be called `xmin`, Postgres uses that name",
            "table `twice`: column: the name `No Name` must be made of a to z, 0 to 9 and _, and must not begin with a digit",
            "table `twice`: key column `id` is declared twice",
            "table `twice`: index `by_id` is declared twice",
            "table `twice`: index `by_id` names `nothing`, which is not a column of the table",
            "table `twice` is declared twice",
            "table `twice`: columns: 0; 1 to 250 are allowed",
            "table `twice`: key columns: 0; 1 to 16 are allowed",
            "table `keys`: column `json` cannot be part of the key because it is json, which has no order",
            "table `keys`: column `float` cannot be part of the key because it is f64, whose values are not exact",
            "table `keys`: column `optional` cannot be part of the key because it is nullable",
            "table `keys`: index `by_json`: column `json` is json, which cannot be indexed",
            "it wants no type of event",
            "the category `account-7` has a `-`; a category is what stands before the first `-` of a stream's name",
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

//! Modules written as text, which no compiler generates.

use std::{fmt::Write as _, time::Duration};

use gnomon::runtime::RuntimeLimits;

use crate::run::{LIMITS, load, runtime};

/// A component of a core module with these parts. It has the exports of a projection, with functions of other types.
pub(crate) fn projection(parts: &str) -> Vec<u8> {
    projection_of_contract("0.2.0", parts)
}

/// [`projection`] for a version of the contract.
fn projection_of_contract(version: &str, parts: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $code {parts} (func (export "nothing")))
            (core instance $core (instantiate $code))
            (func $nothing (canon lift (core func $core "nothing")))
            (instance $guest (export "describe" (func $nothing)) (export "handle" (func $nothing)))
            (export "gnomon:module/projection-guest@{version}" (instance $guest)))"#
    );
    wat::parse_str(text).unwrap()
}

fn refused(bytes: &[u8]) -> Vec<String> {
    let limits = RuntimeLimits { max_batch_time: Duration::from_millis(100), ..LIMITS };
    load(&runtime(limits), bytes).expect_err("it was accepted").reasons
}

#[test]
fn failures_at_the_start_are_the_module_s() {
    let parts = [
        // The module starts, and the types of its functions are checked afterwards.
        "",
        "(func $start (loop (br 0))) (start $start)",
        "(func $start unreachable) (start $start)",
        r#"(memory 1) (data (i32.const 65535) "out of bounds")"#,
        r#"(table 1 funcref) (elem (i32.const 1) $start) (func $start)"#,
    ];
    assert_eq!(
        parts.map(|parts| refused(&projection(parts)).concat()),
        [
            "the module broke the contract: expected 1-tuple, found 0-tuple (at its start)",
            "the module took too long: it computed for more than 0.1 s; the limit is max_batch_time (at its start)",
            "the module panicked or trapped: wasm trap: wasm `unreachable` instruction executed (at its start)",
            "the module panicked or trapped: wasm trap: out of bounds memory access (at its start)",
            "the module panicked or trapped: wasm trap: undefined element: out of bounds table access (at its start)",
        ]
    );
}

#[test]
fn a_projection_of_contract_0_1_is_refused_with_the_way_out() {
    assert_eq!(
        refused(&projection_of_contract("0.1.0", "")),
        [
            "it is built for contract 0.1, but this host runs contract 0.2: update gnomon-sdk in its Cargo.toml to 0.2 and \
             build it again"
        ]
    );
}

#[test]
fn resources_of_an_instance_are_limited() {
    let parts = [
        "(memory 60000)".to_owned(),
        "(memory 4097)".to_owned(),
        "(memory 2048) (memory 2049)".to_owned(),
        "(memory 1)".repeat(9),
        "(table 5000000 funcref)".to_owned(),
        "(table 10 funcref)".repeat(40),
        "(table 10000 funcref)".repeat(11),
    ];
    assert_eq!(
        parts.map(|parts| refused(&projection(&parts)).concat()),
        [
            "memory has a minimum byte size of 3932160000 which exceeds the limit of 0x10000000 bytes: it needs more memory \
             than the limit max_memory_bytes allows",
            "memory has a minimum byte size of 268500992 which exceeds the limit of 0x10000000 bytes: it needs more memory \
             than the limit max_memory_bytes allows",
            "it is not a valid component: defined memories count of 2 exceeds the per-instance limit of 1",
            "it is not a valid component: defined memories count of 9 exceeds the per-instance limit of 1",
            "it is not a valid component: table index 0 has a minimum element size of 5000000 which exceeds the limit of \
             20000",
            "it is not a valid component: defined tables count of 40 exceeds the per-instance limit of 1",
            "it is not a valid component: defined tables count of 11 exceeds the per-instance limit of 1",
        ]
    );
}

#[test]
fn nested_components_are_limited() {
    let mut bomb = String::from("(component (component $c0)");
    for level in 1..30 {
        let before = level - 1;
        write!(
            bomb,
            "(component $c{level} (alias outer 1 $c{before} (component $c)) (instance (instantiate $c)) (instance (instantiate $c)))"
        )
        .unwrap();
    }
    bomb.push_str("(instance (instantiate $c29)))");
    assert_eq!(
        refused(&wat::parse_str(bomb).unwrap()),
        ["it has 30 nested components; the limit is 8", "it makes 59 instances of nested components; the limit is 32",]
    );
}

#[test]
fn components_that_compile_for_minutes_are_refused() {
    // Each would compile for about two minutes on one processor.
    let branches = "(if (local.get 0) (then (local.set 1 (i64.const 1))))".repeat(100_000);
    let loops =
        "(loop (local.set 9000 (i64.add (local.get 5) (local.get 9000))) (br_if 0 (local.get 0)))".repeat(20_000);
    let functions = [
        format!("(func (param i32) (local i64) {branches})"),
        format!("(func (param i32) (local {}) {loops})", "i64 ".repeat(9000)),
    ];
    assert_eq!(
        functions.map(|function| refused(&projection(&function)).concat()),
        [
            "its functions would take too long to compile, above all the one at byte 56, which has 900004 bytes of code; split \
             it into smaller functions with fewer local variables",
            "its functions would take too long to compile, above all the one at byte 56, which has 320005 bytes of code; split \
             it into smaller functions with fewer local variables",
        ]
    );
}

#[test]
fn reasons_are_shortened() {
    let mut text = String::from("(component");
    for number in 0..500 {
        write!(text, r#"(import "acme:secret/door{number}-{}" (instance))"#, "a".repeat(5000)).unwrap();
    }
    text.push(')');
    let reasons = refused(&wat::parse_str(text).unwrap());
    assert_eq!(reasons.len(), 101);
    assert_eq!(reasons[100], "and 401 more reasons");
    assert!(reasons.iter().all(|reason| reason.len() <= 1000));
}

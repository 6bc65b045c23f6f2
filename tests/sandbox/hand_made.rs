//! Modules that no compiler makes.

use std::{fmt::Write as _, time::Duration};

use gnomon::runtime::RuntimeLimits;

use crate::run::{LIMITS, load, runtime};

/// A component of the core module that has these parts. It has the names of a projection, and functions of other types.
fn projection(parts: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $code {parts} (func (export "nothing")))
            (core instance $core (instantiate $code))
            (func $nothing (canon lift (core func $core "nothing")))
            (instance $guest (export "describe" (func $nothing)) (export "handle" (func $nothing)))
            (export "gnomon:module/projection-guest@0.1.0" (instance $guest)))"#
    );
    wat::parse_str(text).unwrap()
}

fn refused(bytes: &[u8]) -> Vec<String> {
    let limits = RuntimeLimits { max_batch_time: Duration::from_millis(100), ..LIMITS };
    load(&runtime(limits), bytes).expect_err("it was taken in").reasons
}

const MEMORY: &str = "(memory 1)";

#[test]
fn what_goes_wrong_at_the_start_is_the_module_s_fault() {
    let with_memory = |parts: &str| refused(&projection(&format!("{MEMORY} {parts}")));
    // Without more, the module starts.
    assert_eq!(with_memory(""), [""]);
    assert_eq!(with_memory("(func $start (loop (br 0))) (start $start)"), [""]);
    assert_eq!(with_memory("(func $start unreachable) (start $start)"), [""]);
    assert_eq!(with_memory(r#"(data (i32.const 65535) "out of bounds")"#), [""]);
}

#[test]
fn what_an_instance_takes_is_bounded() {
    let memory = |pages| refused(&projection(&format!("(memory {pages})")));
    assert_eq!(memory(60_000), [""]);
    assert_eq!(memory(4097), [""]);
    let memories = format!("{MEMORY} {}", "(memory 1)".repeat(9));
    assert_eq!(refused(&projection(&memories)), [""]);
    let shared = format!("{MEMORY} (memory 2048) (memory 2048)");
    assert_eq!(refused(&projection(&shared)), [""]);
    assert_eq!(refused(&projection(&format!("{MEMORY} (table 5000000 funcref)"))), [""]);
    assert_eq!(refused(&projection(&format!("{MEMORY} {}", "(table 10 funcref)".repeat(40)))), [""]);
}

#[test]
fn what_multiplies_is_bounded() {
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
    assert_eq!(refused(&wat::parse_str(bomb).unwrap()), [""]);
}

#[test]
fn functions_are_bounded() {
    let large = format!("{MEMORY} (func {})", "(drop (i32.const 1))".repeat(400_000));
    assert_eq!(refused(&projection(&large)), [""]);
    let locals = format!("{MEMORY} (func (local {}))", "i64 ".repeat(20_000));
    assert_eq!(refused(&projection(&locals)), [""]);
}

#[test]
fn tmp_bombs() {
    for (name, n, locals, body) in [
        ("straight", 300_000usize, 1usize, "(drop (i32.const 1))".to_owned()),
        ("ifs", 100_000, 2000, "(if (local.get 0) (then (local.set 1999 (i64.const 1))))".to_owned()),
        ("loops", 80_000, 9000, "(loop (local.set 8999 (i64.add (local.get 5) (local.get 8998))) (br_if 0 (local.get 0)))".to_owned()),
    ] {
        for part in [16usize, 4, 1] {
            let text = format!("{MEMORY} (func (param i32) (local {}) {})", "i64 ".repeat(locals), body.repeat(n / part));
            let bytes = projection(&text);
            let began = std::time::Instant::now();
            let said = refused(&bytes);
            println!("{name} {} bytes: {:?} {said:?}", bytes.len(), began.elapsed());
        }
    }
    println!("{}", std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap());
}

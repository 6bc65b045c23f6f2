//! A module has access to nothing but its events, cannot wait, and cannot take much of the host.

use gnomon::runtime::FailureKind;

use crate::run::{NoRows, event, failure, instance, note, writes};

#[test]
fn surroundings_are_fixed() {
    let writes = writes("surroundings", "");
    assert_eq!(
        note(&writes, 3).lines().collect::<Vec<_>>(),
        [
            "variables: 0",
            "arguments: 0",
            "folder: Ok(\"/\")",
            "file: false",
            "written: false",
            "input: Ok(0) \"\"",
            "now: Ok(1356998400000002)",
            "passed: 0ns",
            "random: 16294208416658607535 [106, 24, 168]",
            "insecure: 1961750202426094747 (121424856444519, 0)",
        ]
    );
    // The same in another instance, after other events.
    let mut used = instance("surroundings");
    used.handle(&[event(1, "Trigger", "{}")], Box::new(NoRows)).unwrap();
    let again = used.handle(&[event(2, "Fine", "{}"), event(3, "Trigger", "{}")], Box::new(NoRows)).unwrap();
    assert_eq!(note(&again, 3), note(&writes, 3));
}

#[test]
fn modules_cannot_wait() {
    for (name, word) in [("sleep", ""), ("wait", "duration"), ("wait", "instant")] {
        let failure = failure(name, word);
        assert_eq!(failure.kind, FailureKind::BrokeContract);
        assert_eq!(
            failure.to_string(),
            "the module broke the contract at position 3: it waits for time to pass, which never happens: a module's clock stands \
             still at the time of its event",
            "{name} {word}"
        );
    }
}

#[test]
fn wasi_resources_are_limited() {
    for (name, message) in [
        ("stream_zeroes", "cannot write more zeroes than `check_write` allows"),
        ("wasi_hoard", "it holds more than 1000 WASI resources, such as streams"),
        ("random_hog", "requested len 1099511627776 exceeds limit 65536"),
    ] {
        let failure = failure(name, "");
        assert_eq!(failure.kind, FailureKind::BrokeContract, "{failure}");
        assert_eq!(failure.message, message, "{name}");
    }
}

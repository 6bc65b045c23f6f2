//! Tries, at a trigger, to read everything that a module has no access to, and writes what it found.

#![cfg(target_family = "wasm")]

use std::{
    env, fs,
    io::Read,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use guests::*;
use wasip2::random::{insecure, insecure_seed, random};

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let mut input = String::new();
            let read = std::io::stdin().read_to_string(&mut input).map_err(|error| error.to_string());
            let began = Instant::now();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_micros());
            let seen = [
                format!("variables: {}", env::vars_os().count()),
                format!("arguments: {}", env::args_os().count()),
                format!("folder: {:?}", env::current_dir().map(|folder| folder.display().to_string())),
                format!("file: {:?}", fs::read("/etc/passwd").is_ok()),
                format!("written: {:?}", fs::write("/tmp/gnomon-guest", "here").is_ok()),
                format!("input: {read:?} {input:?}"),
                format!("now: {now:?}"),
                format!("passed: {:?}", began.elapsed()),
                format!("random: {} {:?}", random::get_random_u64(), random::get_random_bytes(3)),
                format!("insecure: {} {:?}", insecure::get_insecure_random_u64(), insecure_seed::insecure_seed()),
            ];
            write_note(event.position, &seen.join("\n"));
            Ok(())
        })
    }
}

guest!(Module);

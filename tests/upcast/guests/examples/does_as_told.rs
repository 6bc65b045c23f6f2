//! Rewrites an event, or misbehaves, as its data says.

#![cfg(target_family = "wasm")]
#![allow(clippy::panic, reason = "that is what is tested")]

use upcast_guests::{Batch, Descriptor, Event, Failure, Guest, Upcasted, cursor, events, log, made, sdk, step};

struct DoesAsTold;

impl Guest for DoesAsTold {
    fn describe() -> Descriptor {
        let both = &["A", "B"];
        Descriptor { sdk: sdk(), steps: vec![step("A", 1, 2, both), step("A", 2, 3, both), step("B", 1, 2, both)] }
    }

    fn upcast(batch: Batch) -> Result<Vec<Vec<Upcasted>>, Failure> {
        let mut answer = Vec::new();
        for event in &events(batch) {
            cursor::at(event.position);
            if event.data != "\"answer too little\"" {
                answer.push(upcast(event)?);
            }
        }
        Ok(answer)
    }
}

fn upcast(event: &Event) -> Result<Vec<Upcasted>, Failure> {
    let (name, next) = (event.event_type.as_str(), event.schema_version + 1);
    let with_data = |data: String| vec![Upcasted { data, ..made(name, next, "") }];
    let with_tags = |tags: Vec<String>| vec![Upcasted { tags, ..made(name, next, "") }];
    Ok(match event.data.trim_matches('"') {
        "vanish" => Vec::new(),
        "split" => vec![made(name, next, "left"), made("B", 1, "right")],
        "circle" => vec![made(if name == "A" { "B" } else { "A" }, 1, "circle")],
        "multiply" => (0..50).map(|_| made(name, next, "multiply")).collect(),
        "skip a version" => vec![made(name, next + 1, "")],
        "version 0" => vec![made("C", 0, "")],
        "undeclared" => vec![made("C", 1, "")],
        "tagged" => with_tags(names(&["course:c1", "student:s7", "course:c1"])),
        "untagged" => with_tags(Vec::new()),
        "empty tag" => with_tags(names(&["course:c1", ""])),
        "long tag" => with_tags(vec!["t".repeat(257)]),
        "many tags" => with_tags((0..33).map(|number| number.to_string()).collect()),
        "no type" => vec![made("", 1, "")],
        "long type" => vec![made(&"x".repeat(300), 1, "")],
        "no json" => with_data("{\"half\":".to_owned()),
        "half a character" => with_data(r#""\ud800""#.to_owned()),
        "deep" => with_data("[".repeat(129) + &"]".repeat(129)),
        "large" => with_data(format!("\"{}\"", "x".repeat(2_000))),
        "no metadata" => vec![Upcasted { metadata: Some("{".to_owned()), ..made(name, next, "") }],
        "refuse" => {
            return Err(Failure { position: event.position, message: format!("told so at {}", event.position) });
        }
        "refuse elsewhere" => return Err(Failure { position: 999_999, message: "told so".to_owned() }),
        "panic" => {
            log::write(log::Level::Error, "a bug");
            panic!("a bug")
        }
        "compute for ever" => loop {
            std::hint::black_box(event);
        },
        "take memory" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![1; 1 << 20]);
                std::hint::black_box(&all);
            }
        }
        "tell the time" => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            vec![made(name, 2, &now.as_micros().to_string())]
        }
        word => {
            let (metadata, tags) = (event.metadata.clone(), event.tags.clone());
            vec![Upcasted { metadata, tags, ..made(name, next, word) }]
        }
    })
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

upcast_guests::guest!(DoesAsTold);

//! A reactor that answers an event of type `Trigger` with whatever its data says, and takes a note of any other.

#![cfg(target_family = "wasm")]

use guests::{Batch, Event, Failure, TRIGGER, cursor, events, reactor::*, reactor_guest, read_model, word, write_note};

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        takes_notes()
    }

    fn react(batch: Batch) -> Result<Vec<Answer>, Failure> {
        let mut answers = Vec::new();
        for event in events(batch) {
            cursor::at(event.position);
            if event.event_type == TRIGGER {
                trigger(&event, &mut answers)?;
            } else {
                write_note(event.position, &event.event_type);
                let noted = new_event("Noted", &format!("{{\"position\":{}}}", event.position));
                answers.push(of(event.position, vec![append("note-1", noted)]));
            }
        }
        Ok(answers)
    }
}

fn of(position: u64, effects: Vec<Effect>) -> Answer {
    Answer { position, part: 0, effects }
}

fn schedule(name: &str, at: i64, data: &str) -> Effect {
    Effect::Schedule(Schedule { name: name.to_owned(), at, data: data.to_owned() })
}

fn trigger(event: &Event, answers: &mut Vec<Answer>) -> Result<(), Failure> {
    let position = event.position;
    let fine = || new_event("Noted", "{}");
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    let effect = match word(event) {
        "every kind" => {
            let version_2 = NewEvent {
                schema_version: 2,
                metadata: Some("{\"by\":1}".to_owned()),
                tags: vec!["note:1".to_owned(), "note:1".to_owned()],
                ..fine()
            };
            let two = vec![fine(), version_2];
            let expected = [ExpectedVersion::NoStream, ExpectedVersion::Exact(0), ExpectedVersion::Exact(7)];
            let appends = expected.map(|expected_version| {
                Effect::Append(Append { stream: "note-2".to_owned(), expected_version, events: two.clone() })
            });
            let subject = Some("note-2".to_owned());
            let data = " {\"a\": 1.50} ".to_owned();
            let message = Publish { sink: "mail".to_owned(), message_type: "note.taken".to_owned(), subject, data };
            let call = Call { sink: "bank".to_owned(), name: "pay 1".to_owned(), data: "null".to_owned() };
            let others = [Effect::Publish(message), Effect::Call(call), schedule("pay 1", -5, "[1]")];
            let effects = appends.into_iter().chain(others).chain([Effect::Cancel("pay 0".to_owned())]);
            answers.push(of(position, effects.collect()));
            return Ok(());
        }
        "nothing" => {
            answers.push(of(position, Vec::new()));
            return Ok(());
        }
        "out of order" => {
            answers.insert(0, of(position, Vec::new()));
            return Ok(());
        }
        "twice" => {
            answers.extend([of(position, Vec::new()), of(position, Vec::new())]);
            return Ok(());
        }
        "another" => {
            answers.push(of(position + 1, Vec::new()));
            return Ok(());
        }
        "part" => {
            answers.push(Answer { part: 1, ..of(position, Vec::new()) });
            return Ok(());
        }
        "refuse" => return Err(Failure { position, message: "not this one".to_owned() }),
        "trap" => core::arch::wasm32::unreachable(),
        "endless" => loop {
            core::hint::black_box(position);
        },
        "wrong row" => {
            read_model::put_many("notes", &[Vec::new()]);
            return Ok(());
        }
        "many" => {
            let events = vec![fine(); 6];
            let append = Append { stream: "note-2".to_owned(), expected_version: ExpectedVersion::Any, events };
            answers.push(of(position, vec![Effect::Append(append); 2]));
            return Ok(());
        }
        "large in sum" => {
            answers.push(of(position, vec![publish("mail", "large", &long(900)); 9]));
            return Ok(());
        }
        "no sink" => publish("fax", "a", "1"),
        "reserved" => append("gnomon:test-1", fine()),
        "no stream" => append("", fine()),
        "no events" => Effect::Append(Append {
            stream: "note-2".to_owned(),
            expected_version: ExpectedVersion::Any,
            events: Vec::new(),
        }),
        "late version" => Effect::Append(Append {
            stream: "note-2".to_owned(),
            expected_version: ExpectedVersion::Exact(u64::MAX),
            events: vec![fine()],
        }),
        "version 0" => append("note-2", NewEvent { schema_version: 0, ..fine() }),
        "no type" => append("note-2", new_event("", "{}")),
        "empty tag" => append("note-2", NewEvent { tags: vec![String::new()], ..fine() }),
        "no json" => append("note-2", new_event("Noted", "{\"a\": ")),
        "half a character" => append("note-2", new_event("Noted", r#""\ud800""#)),
        "metadata" => append("note-2", NewEvent { metadata: Some("no".to_owned()), ..fine() }),
        "message" => publish("mail", "a", "no"),
        "large" => publish("mail", "a", &long(999)),
        "deep" => publish("mail", "a", &("[".repeat(128) + &"]".repeat(128))),
        "odd name" => Effect::Cancel("a\u{7f}".to_owned()),
        "long name" => Effect::Cancel("x".repeat(256)),
        "year 10000" => schedule("a", i64::MAX, "1"),
        other => return Err(Failure { position, message: format!("what is `{other}`?") }),
    };
    answers.push(of(position, vec![effect]));
    Ok(())
}

reactor_guest!(Module);

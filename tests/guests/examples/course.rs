//! A valid projection of two courses: it reads the events that have the tag of one of them, and notes their tags.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;

#[derive(Events)]
enum CourseEvent {
    /// `A` and `B` are rewritten by an upcaster.
    #[event("A")]
    A(String),
    #[event("B")]
    B(String),
    /// No upcaster knows it.
    #[event("Plain")]
    Plain(String),
}

/// An event of one of the courses.
#[derive(Table)]
#[table("seen")]
struct Seen {
    #[key]
    position: i64,
    #[key]
    part: i32,
    tags: Vec<String>,
    /// Whether it is of the first course.
    first: bool,
}

struct Module;

impl Projection for Module {
    type Event = CourseEvent;
    type Tables = Seen;

    const TAGS: &'static [&'static str] = &["course:c1", "course:c2"];

    fn handle(event: &Event<CourseEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let (CourseEvent::A(word) | CourseEvent::B(word) | CourseEvent::Plain(word)) = &event.data;
        if word == "poison" {
            fail!("it is poison");
        }
        rows.put(Seen {
            position: event.position.cast_signed(),
            part: event.part.cast_signed(),
            tags: event.tags().to_vec(),
            first: event.is_tagged("course:c1"),
        });
        Ok(())
    }
}

gnomon_sdk::export!(Module);

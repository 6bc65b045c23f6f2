//! Where in a text a value does not fit.
//!
//! Types are read once, and what fits costs a counter for each list and object (`exact.rs`). When a value cannot be read, its index
//! and those of the values around it are noted on the way out. The keys are looked up in the text afterwards, by code that is the
//! same for all types.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

thread_local! {
    /// The indexes of the values around one that could not be read, from the inside outwards.
    static INDEXES: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Forgets what an earlier reading left: a type may have gone on after a value that it could not read.
#[inline]
pub(super) fn begin() {
    INDEXES.with_borrow_mut(Vec::clear);
}

/// Notes that the value at an index of a list or an object could not be read.
#[cold]
#[inline(never)]
pub(super) fn note(index: usize) {
    INDEXES.with_borrow_mut(|indexes| indexes.push(index));
}

/// The path of the value that could not be read, such as `lines[2].price`; empty if it is the whole text.
#[cold]
pub(super) fn find(text: &str) -> String {
    let mut indexes = INDEXES.take();
    indexes.reverse();
    let mut path = String::new();
    // An error is the end of the path: a value that is neither a list nor an object has no parts.
    let _ = Steps { indexes: &indexes, path: &mut path }.deserialize(&mut serde_json::Deserializer::from_str(text));
    path
}

/// Follows indexes into a value and writes the path down.
struct Steps<'p> {
    indexes: &'p [usize],
    path: &'p mut String,
}

impl<'de> DeserializeSeed<'de> for Steps<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.indexes.is_empty() { Ok(()) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Steps<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((&index, rest)) = self.indexes.split_first() else { return Ok(()) };
        for _ in 0..index {
            items.next_element::<IgnoredAny>()?;
        }
        add(self.path, format_args!("[{index}]"));
        items.next_element_seed(Steps { indexes: rest, path: self.path }).map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some((&index, rest)) = self.indexes.split_first() else { return Ok(()) };
        for _ in 0..index {
            members.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        let key = members.next_key::<String>()?.ok_or_else(|| A::Error::custom("the object has no such member"))?;
        add_key(self.path, &key);
        members.next_value_seed(Steps { indexes: rest, path: self.path })
    }
}

/// Adds a key: `.price`, or `["two words"]`.
fn add_key(path: &mut String, key: &str) {
    const SHOWN: usize = 60;
    let is_name = !key.is_empty() && key.chars().all(|character| character.is_alphanumeric() || character == '_');
    let shown = match key.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    };
    match (is_name, path.is_empty()) {
        (true, true) => path.push_str(&shown),
        (true, false) => add(path, format_args!(".{shown}")),
        (false, _) => add(path, format_args!("[{shown:?}]")),
    }
}

/// Adds a part to a path. Writing into a `String` does not fail.
fn add(path: &mut String, part: fmt::Arguments<'_>) {
    let _ = path.write_fmt(part);
}

//! Places in JSON.

use std::{borrow::Cow, fmt};

use super::places::Segment;

/// Bytes of a JSON Pointer, at most.
pub const MAX_POINTER_BYTES: usize = 256;

/// A place in JSON, as RFC 6901 writes it: `/address/street`. Never the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    names: Vec<String>,
}

/// A text is not a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin with a slash.
    #[error("`{0}` is not a JSON Pointer: it begins with `/`, as in `/address/street`")]
    NoSlash(String),
    /// A tilde stands for nothing.
    #[error("`{0}` is not a JSON Pointer: behind `~` stands 0, for `~`, or 1, for `/`")]
    Tilde(String),
    /// It is too long.
    #[error("a JSON Pointer of {0} bytes; it may have {MAX_POINTER_BYTES} (max_pointer_bytes)")]
    TooLong(usize),
}

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.len() > MAX_POINTER_BYTES {
            return Err(PointerError::TooLong(text.len()));
        }
        let Some(rest) = text.strip_prefix('/') else { return Err(PointerError::NoSlash(text.to_owned())) };
        if text.split('~').skip(1).any(|behind| !behind.starts_with(['0', '1'])) {
            return Err(PointerError::Tilde(text.to_owned()));
        }
        let names = rest.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { text: text.to_owned(), names })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it leads to this place.
    pub(super) fn leads_to(&self, path: &[Segment<'_>]) -> bool {
        self.names.len() == path.len() && self.names.iter().zip(path).all(|(name, segment)| segment.is_named(name))
    }

    /// Whether the other one leads to the same place, or to one within it.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.names.starts_with(&self.names)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The pointer that leads to a place.
pub(super) fn pointer_to(path: &[Segment<'_>]) -> String {
    let mut text = String::new();
    for segment in path {
        text.push('/');
        match segment {
            Segment::Member(name) => text.push_str(&escaped(name)),
            Segment::Item(index) => text.push_str(&index.to_string()),
        }
    }
    text
}

fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_pointer_is_refused() {
        for (text, error) in [
            ("", "`` is not a JSON Pointer: it begins with `/`, as in `/address/street`"),
            ("name", "`name` is not a JSON Pointer: it begins with `/`, as in `/address/street`"),
            ("/a~", "`/a~` is not a JSON Pointer: behind `~` stands 0, for `~`, or 1, for `/`"),
            ("/a~2b", "`/a~2b` is not a JSON Pointer: behind `~` stands 0, for `~`, or 1, for `/`"),
        ] {
            assert_eq!(Pointer::parse(text).unwrap_err().to_string(), error);
        }
        let long = format!("/{}", "x".repeat(MAX_POINTER_BYTES));
        assert_eq!(Pointer::parse(&long), Err(PointerError::TooLong(MAX_POINTER_BYTES + 1)));
    }

    #[test]
    fn a_pointer_holds_what_is_within_its_place() {
        let pointer = |text| Pointer::parse(text).unwrap();
        assert!(pointer("/a").holds(&pointer("/a")) && pointer("/a").holds(&pointer("/a/b")));
        assert!(!pointer("/a").holds(&pointer("/ab")) && !pointer("/a/b").holds(&pointer("/a")));
    }

    #[test]
    fn a_place_is_written_as_it_is_read() {
        for text in ["/a", "/a~1b/~0", "/", "//0/1", "/ä"] {
            let pointer = Pointer::parse(text).unwrap();
            let path: Vec<_> = pointer.names.iter().map(|name| Segment::Member(name.as_str().into())).collect();
            assert!(pointer.leads_to(&path));
            assert_eq!(pointer_to(&path), text);
        }
        let path = [Segment::Member("a".into()), Segment::Item(10)];
        assert!(Pointer::parse("/a/10").unwrap().leads_to(&path) && !Pointer::parse("/a/010").unwrap().leads_to(&path));
        assert_eq!(pointer_to(&path), "/a/10");
    }
}

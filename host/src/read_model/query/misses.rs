//! What stands at a place where something else could have stood, in the words of PostgREST's parser.

use std::fmt;

/// Everything that was missed at the furthest place that a reading came to.
#[derive(Clone, Default)]
pub(super) struct Misses {
    at: usize,
    unexpected: Option<Unexpected>,
    expected: Vec<Expected>,
}

impl Misses {
    /// The furthest place.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Remembers a miss, unless there was one further on.
    pub(super) fn record(&mut self, at: usize, unexpected: Unexpected, expected: Expected) {
        if at > self.at {
            *self = Self { at, ..Self::default() };
        }
        if at < self.at {
            return;
        }
        // Of several ways to say what stands there, the first is told, except that it is one thing too many.
        if self.unexpected.is_none() || matches!(unexpected, Unexpected::Further(_)) {
            self.unexpected = Some(unexpected);
        }
        if !self.expected.contains(&expected) {
            self.expected.push(expected);
        }
    }

    /// Remembers the misses of a part as one.
    pub(super) fn record_all(&mut self, part: &Self, label: &'static str) {
        if let Some(unexpected) = part.unexpected {
            self.record(part.at, unexpected, Expected::Label(label));
        }
    }
}

impl fmt::Display for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unexpected {
            None | Some(Unexpected::End) => f.write_str("unexpected end of input")?,
            // A quoted character stands for one that should not be there, a quoted text for one that should be another.
            Some(Unexpected::Further(next)) => write!(f, "unexpected '{next}'")?,
            Some(Unexpected::Character(next)) => write!(f, "unexpected {:?}", next.to_string())?,
        }
        let last = self.expected.len().saturating_sub(1);
        for (place, expected) in self.expected.iter().enumerate() {
            f.write_str(match place {
                0 => " expecting ",
                _ if place == last => " or ",
                _ => ", ",
            })?;
            match expected {
                Expected::Text(text) => write!(f, "{text:?}")?,
                Expected::Label(label) => f.write_str(label)?,
            }
        }
        Ok(())
    }
}

/// What stands at a place where it cannot.
#[derive(Clone, Copy)]
pub(super) enum Unexpected {
    /// Nothing: the text is over.
    End,
    /// A character other than the one looked for.
    Character(char),
    /// Anything at all, where the text should be over.
    Further(char),
}

impl From<Option<char>> for Unexpected {
    fn from(next: Option<char>) -> Self {
        next.map_or(Self::End, Self::Character)
    }
}

/// What could have stood there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// This very text.
    Text(&'static str),
    /// Something of this name.
    Label(&'static str),
}

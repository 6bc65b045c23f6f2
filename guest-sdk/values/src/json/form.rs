//! From JSON text to its canonical form.

use std::{borrow::Cow, ops::Range};

use serde::de::IgnoredAny;

use super::{
    error::{JsonError, MAX_GROWTH},
    scan::Scanner,
};
use crate::{limits::MAX_JSON_DEPTH, number::Number};

pub(super) fn canonical(text: &str) -> Result<String, JsonError> {
    serde_json::from_str::<IgnoredAny>(text).map_err(JsonError::Malformed)?;
    let mut writer = Writer {
        scanner: Scanner::new(text),
        out: String::with_capacity(text.len()),
        max_bytes: text.len() + MAX_GROWTH,
        depth: 0,
    };
    writer.value()?;
    Ok(writer.out)
}

/// Writes the canonical form of a text that is known to be JSON.
struct Writer<'t> {
    scanner: Scanner<'t>,
    out: String,
    /// Bytes that `out` may have.
    max_bytes: usize,
    depth: usize,
}

impl<'t> Writer<'t> {
    fn value(&mut self) -> Result<(), JsonError> {
        match self.scanner.peek() {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                self.out.push_str(self.scanner.token());
                Ok(())
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<(), JsonError>) -> Result<(), JsonError> {
        if self.depth == MAX_JSON_DEPTH {
            return Err(JsonError::Deep);
        }
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), JsonError> {
        self.out.push_str(self.scanner.token());
        while !self.scanner.take(b']') {
            if self.scanner.take(b',') {
                self.out.push(',');
            }
            self.value()?;
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self) -> Result<(), JsonError> {
        let begin = self.out.len();
        // Each key, and the range in `out` of the member, relative to the object.
        let mut members: Vec<(Cow<'t, str>, Range<usize>)> = Vec::new();
        self.out.push_str(self.scanner.token());
        while !self.scanner.take(b'}') {
            if self.scanner.take(b',') {
                self.out.push(',');
            }
            let member = self.out.len();
            let key = self.string()?;
            self.out.push_str(self.scanner.token());
            self.value()?;
            members.push((key, member - begin..self.out.len() - begin));
        }
        self.out.push('}');
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            let written = self.out.split_off(begin);
            self.sorted(members, &written);
        }
        Ok(())
    }

    /// Writes the members of an object in the order of their keys; `written` has them in their old order.
    fn sorted(&mut self, mut members: Vec<(Cow<'t, str>, Range<usize>)>, written: &str) {
        // Reversed, so that of equal keys the last is the first of the stable order, which `dedup_by` keeps.
        members.reverse();
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        members.dedup_by(|(one, _), (kept, _)| one == kept);
        for (index, (_, member)) in members.into_iter().enumerate() {
            self.out.push(if index == 0 { '{' } else { ',' });
            self.out.push_str(&written[member]);
        }
        self.out.push('}');
    }

    /// Writes a string, and returns its text.
    fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        let token = self.scanner.token();
        if !token.contains('\\') {
            self.out.push_str(token);
            return Ok(Cow::Borrowed(&token[1..token.len() - 1]));
        }
        let text: String = serde_json::from_str(token).map_err(JsonError::Malformed)?;
        if text.contains('\0') {
            return Err(JsonError::Nul);
        }
        self.out.push_str(&serde_json::to_string(&text).map_err(JsonError::Malformed)?);
        Ok(Cow::Owned(text))
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let token = self.scanner.token();
        let is_plain_integer = token != "-0" && !token.contains(['.', 'e', 'E']);
        let Some(number) = Number::parse(token).filter(|_| !is_plain_integer || token.len() > SURELY_SHORT) else {
            self.out.push_str(token);
            return Ok(());
        };
        let plain = number.plain().map_err(JsonError::Digits)?;
        if self.out.len() + plain.len() > self.max_bytes {
            return Err(JsonError::Grown { number: token.chars().take(SURELY_SHORT).collect() });
        }
        self.out.push_str(&plain);
        Ok(())
    }
}

/// Characters of a plain integer that surely has not too many digits.
const SURELY_SHORT: usize = 40;

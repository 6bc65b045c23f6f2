//! Subjects of messages in NATS.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of a template, at most.
const MAX_BYTES: usize = 256;
/// Bytes of a subject, at most: NATS takes lines of 4096 bytes, on which more stands.
const MAX_SUBJECT_BYTES: usize = 2048;

/// What may stand in braces.
const NAMES: &[&str] = &["type", "reactor", "key", "subject", "category", "stream"];

/// A subject with names in braces, `orders.{type}`, in whose stead a message has its own values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectTemplate(String);

/// Why a text is not a [`SubjectTemplate`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It is not a subject.
    #[error(
        "`{0}` is not a subject: tokens with dots between, each of letters, digits, `-`, `_` and names in braces, at most {MAX_BYTES} bytes, and none \
         that begins with `$`"
    )]
    Malformed(String),
    /// A name that nothing has.
    #[error(
        "there is no `{{{0}}}` for a subject; there are `{{type}}`, `{{reactor}}`, `{{key}}`, `{{subject}}`, `{{category}}` and `{{stream}}`"
    )]
    Unknown(String),
}

/// A value that a subject may have.
pub(super) type Value<'a> = (&'static str, &'a str);

impl SubjectTemplate {
    /// Checks a template. Which of the names a sink has, its kind says.
    ///
    /// # Errors
    /// It has another form, or a name that nothing has.
    pub fn new(template: &str) -> Result<Self, SubjectError> {
        let malformed =
            || SubjectError::Malformed(template.chars().take(MAX_BYTES).collect::<String>().escape_debug().to_string());
        if template.len() > MAX_BYTES {
            return Err(malformed());
        }
        for token in template.split('.') {
            let mut rest = token;
            if rest.is_empty() {
                return Err(malformed());
            }
            while let Some(first) = rest.chars().next() {
                if let Some(behind) = rest.strip_prefix('{') {
                    let (name, after) = behind.split_once('}').ok_or_else(malformed)?;
                    if !NAMES.contains(&name) {
                        return Err(SubjectError::Unknown(name.escape_debug().to_string()));
                    }
                    rest = after;
                } else if first.is_ascii_alphanumeric() || first == '-' || first == '_' {
                    rest = &rest[1..];
                } else {
                    return Err(malformed());
                }
            }
        }
        Ok(Self(template.to_owned()))
    }

    /// The names in braces.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('{').skip(1).filter_map(|behind| Some(behind.split_once('}')?.0))
    }

    /// The subject with these values. Values that have what a token may not have are written with `%` and two digits for each such byte, and an
    /// empty one as `_`, so different values of usual names have different subjects. One that would be too long is cut.
    pub(super) fn render(&self, values: &[Value<'_>]) -> String {
        let mut subject = String::with_capacity(self.0.len() + 32);
        let mut rest = self.0.as_str();
        while let Some((before, behind)) = rest.split_once('{') {
            subject.push_str(before);
            let Some((name, after)) = behind.split_once('}') else { break };
            let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
            push_token(&mut subject, value);
            rest = after;
        }
        subject.push_str(rest);
        let mut end = subject.len().min(MAX_SUBJECT_BYTES);
        while !subject.is_char_boundary(end) {
            end -= 1;
        }
        subject.truncate(end);
        // What was cut may end with a dot, which no subject does.
        subject.truncate(subject.trim_end_matches('.').len());
        subject
    }
}

fn push_token(subject: &mut String, value: &str) {
    if value.is_empty() {
        subject.push('_');
    }
    for char in value.chars() {
        match char {
            '.' | '*' | '>' | '%' | '$' => subject.push_str(&format!("%{:02X}", u32::from(char))),
            char if char.is_whitespace() || char.is_control() => {
                let mut bytes = [0; 4];
                for byte in char.encode_utf8(&mut bytes).bytes() {
                    subject.push_str(&format!("%{byte:02X}"));
                }
            }
            char => subject.push(char),
        }
    }
}

impl fmt::Display for SubjectTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SubjectTemplate {
    type Error = SubjectError;

    fn try_from(template: String) -> Result<Self, SubjectError> {
        Self::new(&template)
    }
}

impl From<SubjectTemplate> for String {
    fn from(template: SubjectTemplate) -> Self {
        template.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_get_values_that_are_one_token_each() {
        let template = SubjectTemplate::new("bank.{reactor}.{type}.{key}").unwrap();
        let subject = |event_type, key| template.render(&[("type", event_type), ("reactor", "r"), ("key", key)]);
        assert_eq!(subject("Paid", "account-7"), "bank.r.Paid.account-7");
        assert_eq!(subject("a.b > *\n%", ""), "bank.r.a%2Eb%20%3E%20%2A%0A%25._");
        assert_eq!(subject("Überweisung", "$JS"), "bank.r.Überweisung.%24JS");
    }

    #[test]
    fn a_subject_ends_at_its_limit() {
        let template = SubjectTemplate::new("a.{type}.b").unwrap();
        let subject = template.render(&[("type", &"ä".repeat(3000))]);
        assert_eq!(subject.len(), 2048);
        assert!(!subject.ends_with('.'));
    }

    #[test]
    fn what_is_not_a_subject_is_refused() {
        for template in ["", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "$JS.a", "a.{type", "a.}", &"a".repeat(257)]
        {
            assert!(matches!(SubjectTemplate::new(template), Err(SubjectError::Malformed(_))), "{template}");
        }
        let unknown = SubjectTemplate::new("a.{streams}").unwrap_err().to_string();
        assert!(unknown.starts_with("there is no `{streams}` for a subject; there are `{type}`"), "{unknown}");
    }
}

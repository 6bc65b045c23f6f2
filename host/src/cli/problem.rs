//! What a host says when it refuses: problem details (RFC 9457), in words.

use std::fmt;

use reqwest::Url;
use serde_json::{Map, Value};

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: u16,
    members: Map<String, Value>,
    page: Option<String>,
}

/// Characters of an answer that is no problem which are shown.
const SHOWN: usize = 300;

impl Problem {
    /// Reads an answer's body. `base` is where the host's pages are.
    pub(super) fn read(status: u16, body: &str, base: &Url) -> Self {
        let members = match serde_json::from_str(body) {
            Ok(Value::Object(members)) => members,
            // It does not come from a host: a proxy, or another program.
            _ => {
                let mut text: String = body.trim().chars().take(SHOWN).collect();
                if text.is_empty() {
                    text.push_str("nothing more");
                }
                let detail = format!("status {status}, and no words of a Gnomon host: {text}");
                Map::from_iter([("detail".to_owned(), Value::String(detail))])
            }
        };
        let page = members.get("type").and_then(Value::as_str).filter(|page| page.starts_with('/'));
        let page = page.and_then(|page| base.join(page).ok()).map(String::from);
        Self { status, members, page }
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// A member that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }

    /// What it is about in this case.
    pub(super) fn detail(&self) -> &str {
        let text = |name| self.members.get(name).and_then(Value::as_str);
        text("detail").or_else(|| text("title")).unwrap_or("the host refuses, and does not say why")
    }

    /// The same with other words for what it is about.
    pub(super) fn with_detail(mut self, detail: String) -> Self {
        self.members.insert("detail".to_owned(), Value::String(detail));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<&str> = self
            .members
            .get("reasons")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        // The detail of a problem with reasons holds them all, in one long line.
        match self.members.get("title").and_then(Value::as_str) {
            Some(title) if !reasons.is_empty() => f.write_str(title)?,
            _ => f.write_str(self.detail())?,
        }
        for reason in reasons {
            write!(f, "\n  - {reason}")?;
        }
        for name in ["details", "hint"] {
            if let Some(words) = self.members.get(name).and_then(Value::as_str) {
                write!(f, "\n  {name}: {words}")?;
            }
        }
        if let Some(page) = &self.page {
            write!(f, "\n  see {page}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> String {
        let base = Url::parse("http://127.0.0.1:7070/").unwrap();
        Problem::read(409, body, &base).to_string()
    }

    #[test]
    fn a_problem_is_its_detail_and_its_page() {
        let body = r#"{"type":"/errors/wrong_expected_version","title":"The stream is not at the expected version","status":409,
            "detail":"stream `account-7` is at version 3, not 2","code":"wrong_expected_version","current_version":3}"#;
        insta::assert_snapshot!(read(body), @r"
        stream `account-7` is at version 3, not 2
          see http://127.0.0.1:7070/errors/wrong_expected_version
        ");
    }

    #[test]
    fn every_reason_has_a_line() {
        let body = r#"{"type":"/errors/invalid_module","title":"The component is no module","detail":"not a module: a; b",
            "reasons":["it imports `wasi:sockets/tcp`","it exports neither"]}"#;
        insta::assert_snapshot!(read(body), @r"
        The component is no module
          - it imports `wasi:sockets/tcp`
          - it exports neither
          see http://127.0.0.1:7070/errors/invalid_module
        ");
    }

    #[test]
    fn what_postgrest_would_say_is_said() {
        let body = r#"{"type":"about:blank","detail":"column a.b does not exist","code":"42703","details":null,"hint":"Perhaps `c`."}"#;
        insta::assert_snapshot!(read(body), @r"
        column a.b does not exist
          hint: Perhaps `c`.
        ");
    }

    #[test]
    fn an_answer_of_something_else_is_shown_as_it_is() {
        insta::assert_snapshot!(read("<html>Bad Gateway</html>"), @"status 409, and no words of a Gnomon host: <html>Bad Gateway</html>");
        insta::assert_snapshot!(read(""), @"status 409, and no words of a Gnomon host: nothing more");
    }
}

//! Problems (RFC 9457) that a host answers with, as text for the terminal.

use std::fmt;

use reqwest::Url;
use serde_json::{Map, Value};

/// A problem that a host answers with.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: u16,
    members: Map<String, Value>,
    /// The URL of the page that explains the error.
    page: Option<String>,
}

/// Characters that are shown of an answer that is not a problem.
const SHOWN: usize = 300;

impl Problem {
    /// Reads the body of an answer. `base` is the host's URL, to which the URLs of its pages are relative.
    pub(super) fn read(status: u16, body: &str, base: &Url) -> Self {
        let members = match serde_json::from_str(body) {
            Ok(Value::Object(members)) => members,
            // It comes from a proxy or from another program.
            _ => {
                let mut text: String = body.trim().chars().take(SHOWN).collect();
                if text.is_empty() {
                    text.push_str("an empty body");
                }
                let mut detail = format!("status {status}, and not an answer of a Gnomon host: {text}");
                if status == 413 {
                    detail.push_str(
                        "\n  The request is too large for a proxy in front of the host; let it take larger ones (nginx: \
                         client_max_body_size 16m), or use the host's own URL",
                    );
                }
                Map::from_iter([("detail".to_owned(), Value::String(detail))])
            }
        };
        let page = members.get("type").and_then(Value::as_str).filter(|page| page.starts_with('/'));
        let page = page.map(|page| page_url(page, base));
        Self { status, members, page }
    }

    /// The stable name of the error; empty if it has none.
    pub(super) fn code(&self) -> &str {
        self.members.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// A member that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }

    /// What went wrong in this case.
    pub(super) fn detail(&self) -> &str {
        let text = |name| self.members.get(name).and_then(Value::as_str);
        text("detail").or_else(|| text("title")).unwrap_or("the host refuses the request and gives no reason")
    }

    /// The same problem of a part of a file: the host counts the lines of the request, of which the first is line `first_line` of
    /// the file.
    pub(super) fn with_line_of_file(mut self, first_line: u64) -> Self {
        for name in ["line", "first_line"] {
            if let Some(line) = self.number(name) {
                self.members.insert(name.to_owned(), Value::from(line + first_line - 1));
            }
        }
        self
    }

    /// The same problem with the id of the event as its file has it, where an import replaced it.
    pub(super) fn with_written_id(mut self, written: &str) -> Self {
        let id = self.members.get("id").and_then(Value::as_str);
        if let Some(id) = id {
            // The log has the event under the UUID.
            let shown =
                if self.number("position").is_some() { format!("{written} ({id})") } else { written.to_owned() };
            let detail = self.detail().replace(id, &shown);
            self.members.insert("detail".to_owned(), Value::from(detail));
        }
        self
    }
}

/// The URL of a page of the host. Behind a proxy that has removed the first part of the path, the host's path begins after that
/// part, unless the proxy has told it.
fn page_url(page: &str, base: &Url) -> String {
    let prefix = base.path().trim_end_matches('/');
    let page = page.strip_prefix(prefix).filter(|page| page.starts_with('/')).unwrap_or(page);
    format!("{}{page}", base.as_str().trim_end_matches('/'))
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
        match (self.number("first_line"), self.number("line")) {
            (Some(first), Some(line)) => write!(f, "lines {first} and {line}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (_, None) => {}
        }
        // The detail of a problem with reasons repeats them all in one long line.
        match self.members.get("title").and_then(Value::as_str) {
            Some(title) if !reasons.is_empty() => f.write_str(title)?,
            _ => f.write_str(self.detail())?,
        }
        for reason in reasons {
            write!(f, "\n  - {reason}")?;
        }
        for name in ["details", "hint"] {
            if let Some(text) = self.members.get(name).and_then(Value::as_str) {
                write!(f, "\n  {name}: {text}")?;
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
    fn the_page_is_below_the_url_of_the_host() {
        for (base, page) in [
            ("http://h/", "/errors/x"),
            ("http://h/sub/path", "/errors/x"),
            ("http://h/sub/path/", "/errors/x"),
            ("http://h/sub/path", "/sub/path/errors/x"),
        ] {
            let base = Url::parse(base).unwrap();
            let wanted = format!("{}/errors/x", base.as_str().trim_end_matches('/'));
            assert_eq!(page_url(page, &base), wanted, "{base} {page}");
        }
    }

    #[test]
    fn every_reason_has_a_line() {
        let body = r#"{"type":"/errors/invalid_module","title":"The component is not a module that this host can run","detail":"not a module: a; b",
            "reasons":["it imports `wasi:sockets/tcp`","it exports neither"]}"#;
        insta::assert_snapshot!(read(body), @r"
        The component is not a module that this host can run
          - it imports `wasi:sockets/tcp`
          - it exports neither
          see http://127.0.0.1:7070/errors/invalid_module
        ");
    }

    #[test]
    fn a_line_is_that_of_the_file() {
        let base = Url::parse("http://h/").unwrap();
        let shown = |body: &str, first_line| Problem::read(422, body, &base).with_line_of_file(first_line).to_string();
        assert_eq!(shown(r#"{"detail":"missing field `type`","line":3}"#, 20_001), "line 20003: missing field `type`");
        assert_eq!(shown(r#"{"detail":"the id is taken","line":1}"#, 1), "line 1: the id is taken");
        assert_eq!(shown(r#"{"detail":"Postgres does not answer"}"#, 101), "Postgres does not answer");
        let two = r#"{"detail":"two lines have the event id 1","first_line":1,"line":3}"#;
        assert_eq!(shown(two, 101), "lines 101 and 103: two lines have the event id 1");
    }

    #[test]
    fn an_id_is_shown_as_it_is_written() {
        let base = Url::parse("http://h/").unwrap();
        let shown = |body: &str| Problem::read(409, body, &base).with_written_id("17").to_string();
        let id = "cdc592a2-6e9f-55c7-88a0-510a4f545895";
        let taken = format!(r#"{{"detail":"event id {id} is taken","id":"{id}","position":3}}"#);
        assert_eq!(shown(&taken), format!("event id 17 ({id}) is taken"));
        let twice = format!(r#"{{"detail":"two lines have the event id {id}","id":"{id}"}}"#);
        assert_eq!(shown(&twice), "two lines have the event id 17");
        assert_eq!(shown(r#"{"detail":"Postgres does not answer"}"#), "Postgres does not answer");
    }

    #[test]
    fn details_and_hints_of_postgrest_are_shown() {
        let body = r#"{"type":"about:blank","detail":"column a.b does not exist","code":"42703","details":null,"hint":"Perhaps `c`."}"#;
        insta::assert_snapshot!(read(body), @r"
        column a.b does not exist
          hint: Perhaps `c`.
        ");
    }

    #[test]
    fn an_answer_of_another_program_is_shown_as_it_is() {
        insta::assert_snapshot!(read("<html>Bad Gateway</html>"), @"status 409, and not an answer of a Gnomon host: <html>Bad Gateway</html>");
        let base = Url::parse("http://h/").unwrap();
        let too_large = Problem::read(413, "<html>413 Request Entity Too Large</html>", &base).to_string();
        assert!(too_large.contains("nginx: client_max_body_size"), "{too_large}");
        insta::assert_snapshot!(read(""), @"status 409, and not an answer of a Gnomon host: an empty body");
    }
}

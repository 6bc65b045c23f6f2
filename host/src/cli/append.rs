//! `gnomon append`

use std::{io::Read, time::Duration};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use gnomon_values::Instant;
use reqwest::{Method, RequestBuilder};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    client::{Client, ClientError},
    event_query::{append_condition, tag},
    figures, last_appends, misspelt, output,
    stream_name::stream_name,
    wait_for::{Waited, wait_for},
};
use crate::{
    api::{self, AppendCondition, Appended, ExpectedVersion, NewEvent, json_error},
    config::ClientOptions,
    event_log::Tag,
};

/// How long the note about names that may be misspelt may take.
const NOTE_TIMEOUT: Duration = Duration::from_secs(1);

/// Append an event to a stream, or to that of its first tag.
///
/// With --id it is safe to run the command again: the event is appended once. `gnomon query` waits for what was appended last, so
/// --wait is for readers who do not use it.
#[derive(Args, Debug)]
pub(super) struct Append {
    /// The stream, `category-id` [default: that of the first tag: `course-c1` for the tag `course:c1`]
    #[arg(value_parser = stream_name, required_unless_present = "tags")]
    stream: Option<String>,

    /// The type of the event
    #[arg(long = "type", value_name = "TYPE")]
    event_type: String,

    /// What happened, as JSON; `-` reads it from stdin
    #[arg(long, value_name = "JSON", default_value = "{}")]
    data: String,

    /// The event's id, a UUID [default: the host makes one]
    #[arg(long, value_name = "UUID")]
    id: Option<Uuid>,

    /// When it happened, such as 2013-01-01T10:17:00Z [default: now]
    #[arg(long, value_parser = time)]
    time: Option<Instant>,

    /// A tag of the event, such as course:c1, by which event queries find it; repeatable. A comma is part of the tag
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    tags: Vec<Tag>,

    /// The version of the shape of the data
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    schema_version: u32,

    /// Further facts about the event, as JSON
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,

    /// The version that the stream must have: `any`, `no_stream` or a number
    #[arg(long, value_name = "VERSION", default_value = "any", value_parser = expected, requires = "stream")]
    expected_version: ExpectedVersion,

    /// Append only if no event after a position matches a query, as JSON: '{"fail_if_events_match": {"items": [{"tags": ["course:c1"]}]},
    /// "after": 12}', without "after" if no event of the log may match; `-` reads it from stdin
    #[arg(long, value_name = "JSON")]
    condition: Option<String>,

    /// Wait until queries on this projection show the event; repeatable
    #[arg(long, value_name = "PROJECTION")]
    wait: Vec<String>,

    /// Maximum seconds to wait for each --wait
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "wait")]
    timeout: u32,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

fn expected(text: &str) -> Result<ExpectedVersion, String> {
    match text {
        "any" => Ok(ExpectedVersion::Any),
        "no_stream" => Ok(ExpectedVersion::NoStream),
        text => text.parse().map(ExpectedVersion::Exact).map_err(|_| "give `any`, `no_stream` or a version".to_owned()),
    }
}

/// Reads a time for clap.
fn time(text: &str) -> Result<Instant, String> {
    Instant::parse(text).map_err(|error| error.to_string())
}

impl Append {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        if self.data == "-" && self.condition.as_deref() == Some("-") {
            bail!("--data and --condition cannot both be read from stdin");
        }
        let stream = stream(self.stream, &self.tags)?;
        let condition = self.condition.map(condition).transpose()?;
        for projection in &self.wait {
            // Before anything is appended.
            client.send(read_model(&client, projection)).await?;
        }
        let data = if self.data == "-" { read_stdin()? } else { self.data };
        let event = NewEvent {
            event_type: self.event_type.clone(),
            data: json(data, "--data")?,
            id: self.id,
            time: self.time,
            tags: self.tags.into_iter().map(Into::into).collect(),
            schema_version: self.schema_version,
            metadata: self.metadata.map(|metadata| json(metadata, "--metadata")).transpose()?,
        };
        let after = condition.as_ref().and_then(|condition| condition.after);
        let body = api::Append { expected_version: self.expected_version, condition, events: vec![event] };
        let request = client.request(Method::POST, &["v1", "streams", &stream, "events"]).json(&body);
        let response = client.send(request).await.map_err(|error| with_way_out(error, after))?;
        let repeated = response.status() == reqwest::StatusCode::OK;
        let body = response.text().await.map_err(|error| client.connection_error(&error))?;
        let Appended { stream, last_version, last_position, .. } = client.parse(&body)?;
        last_appends::remember(&client, last_position);
        if self.json {
            output::data(body)?;
        } else {
            let (version, position) = (figures::count(last_version), figures::count(last_position));
            let before = if repeated { " (already in the log)" } else { "" };
            output::data(format_args!("{stream} version {version}, position {position}{before}"))?;
        }
        // The event is in the log, whatever becomes of the note.
        let note = tokio::time::timeout(NOTE_TIMEOUT, misspelt::note(&client, &stream, &self.event_type)).await;
        if let Ok(Ok(Some(note))) = note {
            output::say(format_args!("note: {note}"));
        }
        for projection in &self.wait {
            wait(&client, projection, last_position, self.timeout).await?;
        }
        Ok(())
    }
}

/// The stream of the event.
fn stream(given: Option<String>, tags: &[Tag]) -> anyhow::Result<String> {
    match (given, tags.first()) {
        (Some(stream), _) => Ok(stream),
        (None, Some(first)) => Ok(first.stream()?.into()),
        (None, None) => bail!("give a stream, or a --tag, whose stream it is then"),
    }
}

fn condition(text: String) -> anyhow::Result<AppendCondition> {
    let text = if text == "-" { read_stdin()? } else { text };
    append_condition(&text).map_err(|reason| anyhow!("--condition: {reason}"))
}

/// Adds what to do to the error of an append whose condition does not hold. The writer had read up to `after`.
fn with_way_out(error: ClientError, after: Option<u64>) -> anyhow::Error {
    let failed = matches!(&error, ClientError::Refused(problem) if problem.code() == "append_condition_failed");
    if !failed {
        return error.into();
    }
    let from = after.map(|after| format!(" --after {after}")).unwrap_or_default();
    anyhow!(
        "{error}\nnothing was appended: read what the query finds (`gnomon events --query …{from}`), decide again, and append with the \
         position up to which you have read as \"after\""
    )
}

/// Waits until queries on a projection show the event at a position.
async fn wait(client: &Client, projection: &str, position: u64, timeout: u32) -> anyhow::Result<()> {
    let timeout = Duration::from_secs(timeout.into());
    let waited = wait_for(client, projection, position, timeout, || read_model(client, projection)).await?;
    let reason = match waited {
        Waited::Reached(_) => return Ok(()),
        Waited::Behind(reason) => reason,
        Waited::BeyondHead(problem) => problem.detail().to_owned(),
    };
    bail!("the event is in the log, at position {}, and queries do not show it yet: {reason}", figures::count(position))
}

fn read_model(client: &Client, projection: &str) -> RequestBuilder {
    client.get(&["v1", "read-models", projection])
}

/// Checks that a text is JSON, and keeps it as it is written.
fn json(text: String, option: &str) -> anyhow::Result<Box<RawValue>> {
    // Files may begin with a byte-order mark.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    RawValue::from_string(text).map_err(|error| {
        let (reason, line, column) = (json_error(&error), error.line(), error.column());
        anyhow::anyhow!("{option} is not JSON: {reason} at line {line} column {column}")
    })
}

fn read_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read stdin")?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_sent_as_it_is_written() {
        let event = NewEvent {
            event_type: "T".into(),
            data: json(r#"{ "x": 1.10 }"#.into(), "--data").unwrap(),
            id: None,
            time: None,
            tags: Vec::new(),
            schema_version: 1,
            metadata: None,
        };
        assert_eq!(json("\u{feff}{}".into(), "--data").unwrap().get(), "{}", "a byte-order mark is passed over");
        let body = api::Append { expected_version: expected("7").unwrap(), condition: None, events: vec![event] };
        let text = serde_json::to_string(&body).unwrap();
        assert_eq!(text, r#"{"expected_version":7,"events":[{"type":"T","schema_version":1,"data":{ "x": 1.10 }}]}"#);
    }

    #[test]
    fn data_that_is_not_json_is_refused_by_name() {
        let error = format!("{:#}", json("{x}".into(), "--metadata").unwrap_err());
        assert!(
            error.starts_with(
                "--metadata is not JSON: the name of a field, in double quotes, is expected at line 1 column 2"
            ),
            "{error}"
        );
    }

    #[test]
    fn without_a_stream_it_is_that_of_the_first_tag() {
        let tags = ["course:c1", "student:s4"].map(|name| tag(name).unwrap());
        assert_eq!(stream(None, &tags).unwrap(), "course-c1");
        assert_eq!(stream(Some("enrolment-7".into()), &tags).unwrap(), "enrolment-7");
        assert!(stream(None, &[tag("..").unwrap()]).unwrap_err().to_string().contains("`..` cannot stand in a URL"));
    }

    #[test]
    fn a_condition_that_is_not_one_is_refused_by_name() {
        let error = condition("{}".into()).unwrap_err().to_string();
        assert!(error.starts_with("--condition: missing field `fail_if_events_match` at line 1 column 2;"), "{error}");
    }

    #[test]
    fn expected_versions_are_any_no_stream_or_a_number() {
        assert_eq!(expected("any"), Ok(ExpectedVersion::Any));
        assert_eq!(expected("no_stream"), Ok(ExpectedVersion::NoStream));
        assert_eq!(expected("0"), Ok(ExpectedVersion::Exact(0)));
        assert!(expected("none").is_err() && expected("-1").is_err());
    }
}

//! A reactor: each flight that leaves late makes a message, which arrives at a receiver.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::bail;
use reqwest::Method;

use super::{import::Week, modules::Built, receiver::Receiver, step::Steps};
use crate::{
    api::{
        self, Activation, ContentMode, MessagesPage, MessagesQuery, Reactor, Reactors, SinkKind, SinkSettings,
        UploadQuery,
    },
    cli::{client::Client, deploy::put, figures, projection::with_error},
};

/// The sink that the module names.
const SINK: &str = "passengers";
/// How often it is looked whether the messages have arrived.
const POLL: Duration = Duration::from_millis(50);
/// How long nothing may arrive, while something waits.
const DEADLINE: Duration = Duration::from_secs(60);

/// Deploys the reactor, which answers the week from its first event on, and shows what arrives.
pub(super) async fn show(
    steps: &mut Steps,
    client: &Client,
    (name, component): &Built,
    receiver: &Receiver,
    secrets: &Path,
    week: Week,
) -> anyhow::Result<()> {
    let step = steps.begin("letting a reactor answer the flights");
    put_sink(client, receiver.url(), receiver.keep_secret(secrets)?).await?;
    // Where a reactor begins is said once. When the demo ran before, this one has begun.
    let reactors: Reactors = client.json(client.get(&["v1", "reactors"])).await?;
    let has_begun = reactors.reactors.iter().any(|reactor| reactor.name == *name);
    let from = (!has_begun).then_some(1);
    let query = UploadQuery { activate: Activation::Auto, deploy: true, from };
    put(client, name, &component.path, query).await?;
    if has_begun {
        // What an earlier demo has left, and what waits for its next try.
        let retry = client.request(Method::POST, &["v1", "sinks", SINK, "retry"]);
        let _: api::SinkRetried = client.json(retry).await?;
    }
    let (mut moved, mut seen) = (Instant::now(), (0, 0));
    loop {
        let reactor: Reactor = client.json(client.get(&["v1", "reactors", name])).await?;
        if let Some(error) = &reactor.error {
            bail!(with_error(format!("reactor `{name}` {}", reactor.state), error, &reactor.upcasters));
        }
        let waiting = oldest_pending(client).await?;
        let now = (reactor.checkpoint, receiver.count());
        if reactor.checkpoint >= week.last_position && waiting.is_none() {
            break;
        }
        step.progress.show(now.0, Some(week.last_position.max(1)), format_args!("{} have arrived", messages(now.1)));
        if now != seen {
            (moved, seen) = (Instant::now(), now);
        }
        if moved.elapsed() > DEADLINE {
            let why = waiting.and_then(|message| message.error).or_else(|| receiver.refused());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            bail!(
                "for {} s no message of reactor `{name}` has arrived, at position {} of {}{why}; `gnomon outbox --sink {SINK}` shows them while a \
                 host runs",
                DEADLINE.as_secs(),
                figures::count(now.0),
                figures::count(week.last_position)
            );
        }
        tokio::time::sleep(POLL).await;
    }
    let (what, lines) = describe(receiver.count(), receiver.first(), &receiver.url());
    step.done(what, &lines);
    Ok(())
}

/// What has arrived, as the title of the step and lines: the first messages, and how many more there are.
fn describe(count: u64, first: Vec<String>, url: &str) -> (String, Vec<String>) {
    if count == 0 {
        let more =
            "Each flight more than two hours late had made a message when the demo ran before; none is sent twice.";
        return ("a reactor has answered all flights".to_owned(), vec![more.to_owned()]);
    }
    let rest = count - first.len() as u64;
    let mut lines =
        vec!["Each flight more than two hours late makes a message to its passengers, a signed webhook:".to_owned()];
    lines.extend(first.into_iter().map(|line| format!("  {line}")));
    let received = format!("received at {url}, the signature of each verified");
    lines.push(if rest == 0 { received } else { format!("and {} more, {received}", figures::count(rest)) });
    (format!("a reactor answered the flights: {} arrived", messages(count)), lines)
}

fn messages(count: u64) -> String {
    figures::counted(count, "message")
}

async fn put_sink(client: &Client, url: String, secret: String) -> anyhow::Result<()> {
    let settings = SinkSettings {
        kind: SinkKind::Webhook,
        url,
        secret: Some(secret),
        credentials: None,
        content_mode: ContentMode::Structured,
        subject: None,
        stream: None,
        after: None,
        timeout_seconds: None,
        max_tries: None,
    };
    let _: api::Sink = client.json(client.request(Method::PUT, &["v1", "sinks", SINK]).json(&settings)).await?;
    Ok(())
}

/// The oldest message that has not arrived.
async fn oldest_pending(client: &Client) -> anyhow::Result<Option<api::Message>> {
    let query = MessagesQuery {
        sink: Some(SINK.to_owned()),
        state: Some("pending".to_owned()),
        limit: Some(1),
        ..MessagesQuery::default()
    };
    let page: MessagesPage = client.json(client.get(&["v1", "outbox"]).query(&query)).await?;
    Ok(page.messages.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_messages_have_a_line_each_and_the_rest_is_counted() {
        let first = || vec!["20130101-UA856-EWR leaves 144 minutes late".to_owned()];
        let (what, lines) = describe(85, first(), "http://127.0.0.1:4711/");
        insta::assert_snapshot!(format!("{what}\n{}", lines.join("\n")), @r"
        a reactor answered the flights: 85 messages arrived
        Each flight more than two hours late makes a message to its passengers, a signed webhook:
          20130101-UA856-EWR leaves 144 minutes late
        and 84 more, received at http://127.0.0.1:4711/, the signature of each verified
        ");
        let (what, lines) = describe(1, first(), "http://127.0.0.1:4711/");
        assert_eq!(what, "a reactor answered the flights: 1 message arrived");
        assert_eq!(lines.last().unwrap(), "received at http://127.0.0.1:4711/, the signature of each verified");
        assert!(describe(0, Vec::new(), "").0.contains("has answered"));
    }
}

//! The outbox: whether messages arrive, and the log where it is published.

use std::time::Duration;

use super::finding::Finding;
use crate::{
    api::{Message, MessagesPage, MessagesQuery, Sink, Sinks},
    cli::{
        client::{Client, ClientError},
        figures,
        measures::Measures,
    },
    metrics::{Measure, names},
};

const AREA: &str = "outbox";
/// Pages of messages that are looked through for an example.
const MAX_PAGES: usize = 20;
/// A message that waits for longer was tried several times.
const LATE: Duration = Duration::from_secs(60);
/// As the alert `GnomonMessagesWait` has it.
const VERY_LATE: Duration = Duration::from_secs(900);

/// What is known of the messages of a sink.
#[derive(Clone, Debug, Default)]
struct Waiting {
    sink: String,
    pending: u64,
    oldest: Duration,
    failed: u64,
    /// The oldest message that waits, and the oldest that has failed.
    oldest_pending: Option<Message>,
    oldest_failed: Option<Message>,
}

/// Asks a host for its sinks, and for the oldest message of each sink that has some, and judges them.
pub(super) async fn look(client: &Client, measures: &Measures, url: &str) -> Result<Vec<Finding>, ClientError> {
    let sinks: Sinks = client.json(client.get(&["v1", "sinks"])).await?;
    let mut waiting = Vec::new();
    for mut of_sink in counted(measures) {
        if of_sink.pending > 0 {
            of_sink.oldest_pending = oldest(client, &of_sink.sink, "pending").await?;
        }
        if of_sink.failed > 0 {
            of_sink.oldest_failed = oldest(client, &of_sink.sink, "failed").await?;
        }
        waiting.push(of_sink);
    }
    Ok(judge(&sinks.sinks, &waiting, url))
}

async fn oldest(client: &Client, sink: &str, state: &str) -> Result<Option<Message>, ClientError> {
    let mut query =
        MessagesQuery { sink: Some(sink.to_owned()), state: Some(state.to_owned()), ..MessagesQuery::default() };
    for _ in 0..MAX_PAGES {
        let page: MessagesPage = client.json(client.get(&["v1", "outbox"]).query(&query)).await?;
        // Of a call that has failed, its reactor knows.
        let found = page.messages.into_iter().find(|message| state != "failed" || message.call.is_none());
        if found.is_some() || page.next.is_none() {
            return Ok(found);
        }
        query.after = page.next;
    }
    Ok(None)
}

/// How many messages each sink has, as the host measures it.
fn counted(measures: &Measures) -> Vec<Waiting> {
    let of = |measure: &Measure, sink: &str| {
        measures.all(measure).iter().find(|sample| sample.label("sink") == sink).map_or(0.0, |sample| sample.value)
    };
    let counted = |sink: &str| Waiting {
        sink: sink.to_owned(),
        pending: of(names::OUTBOX_PENDING, sink) as u64,
        oldest: Duration::try_from_secs_f64(of(names::OUTBOX_OLDEST, sink)).unwrap_or_default(),
        failed: of(names::OUTBOX_FAILED, sink) as u64,
        ..Waiting::default()
    };
    measures.all(names::OUTBOX_PENDING).iter().map(|sample| counted(sample.label("sink"))).collect()
}

fn judge(sinks: &[Sink], waiting: &[Waiting], url: &str) -> Vec<Finding> {
    let is_made = |name: &str| sinks.iter().any(|sink| sink.name == name);
    let mut findings: Vec<Finding> = Vec::new();
    for of_sink in waiting {
        findings.extend(pending(of_sink, is_made(&of_sink.sink), url));
        findings.extend(failed(of_sink, url));
    }
    findings.extend(sinks.iter().filter_map(|sink| publication(sink, url)));
    if findings.is_empty() {
        let messages: u64 = waiting.iter().map(|of_sink| of_sink.pending).sum();
        let found = match sinks {
            [] => "there are no sinks".to_owned(),
            sinks => format!(
                "{}; {} under way, none has failed",
                figures::counted(sinks.len() as u64, "sink"),
                figures::counted(messages, "message")
            ),
        };
        findings.push(Finding::ok(AREA, format!("messages of {url}"), found));
    }
    findings
}

/// Messages that wait: since when, for how many tries, and why.
fn pending(of_sink: &Waiting, is_made: bool, url: &str) -> Option<Finding> {
    let Waiting { sink, pending, oldest, oldest_pending, .. } = of_sink;
    let message = oldest_pending.as_ref()?;
    let check = format!("sink {sink} of {url}");
    let waits =
        format!("{} not delivered, the oldest since {}", figures::counted(*pending, "message"), message.enqueued_at);
    if !is_made {
        return Some(
            Finding::problem(AREA, check, format!("nobody has made it; {waits}"))
                .why("a reactor sends messages to it, and they wait until there is such a sink")
                .advice(format!("`gnomon sinks put {sink}` says where they go")),
        );
    }
    if *oldest <= LATE {
        return None;
    }
    let found = match (&message.error, message.tries) {
        (Some(error), tries) => format!("{waits}, after {}: {error}", of_tries(tries)),
        (None, tries) => format!("{waits}, after {}", of_tries(tries)),
    };
    let advice = if message.tries == 0 {
        format!(
            "does a host deliver (hosts on the database), and is it as fast as reactors send (gnomon_outbox_try_duration_seconds)? \
             `gnomon outbox --sink {sink} --state pending` lists them"
        )
    } else {
        format!(
            "mend the sink, or change it with `gnomon sinks put {sink}`; `gnomon sinks retry {sink}` tries at once; `gnomon outbox drop {}` gives this \
             message up",
            message.id
        )
    };
    let why = "messages to this sink come late, and after `max_tries` tries they have failed";
    let finding = match *oldest > VERY_LATE {
        true => Finding::problem(AREA, check, found),
        false => Finding::warning(AREA, check, found),
    };
    Some(finding.why(why).advice(advice))
}

fn of_tries(tries: u32) -> String {
    if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") }
}

fn failed(Waiting { sink, failed, oldest_failed, .. }: &Waiting, url: &str) -> Option<Finding> {
    if *failed == 0 {
        return None;
    }
    let mut found = figures::counted(*failed, "message");
    if let Some(Message { tries, error, done_at, .. }) = oldest_failed {
        let since = done_at.map(|at| format!(" at {at}")).unwrap_or_default();
        let error = error.as_deref().unwrap_or("nobody knows why");
        found.push_str(&format!("; the first failed{since}, after {}: {error}", of_tries(*tries)));
    }
    Some(
        Finding::problem(AREA, format!("failed messages to sink {sink} of {url}"), found)
            .why("they are not sent again until somebody says so")
            .advice(format!(
                "`gnomon outbox --sink {sink} --state failed` lists them; mend the cause, then `gnomon sinks retry {sink}`; `gnomon outbox drop <id>` \
                 for each that is not to be sent"
            )),
    )
}

/// A sink that is to publish the log, and cannot.
fn publication(sink: &Sink, url: &str) -> Option<Finding> {
    let published = sink.published.as_ref()?;
    let error = published.error.as_ref()?;
    let found = format!("the log is not published behind position {}: {error}", figures::count(published.position));
    Some(
        Finding::problem(AREA, format!("log in sink {} of {url}", sink.name), found)
            .why("who follows the log there sees nothing new; nothing is lost, the rest follows")
            .advice("correct what the error names: the NATS server, its stream, or the sink (`gnomon sinks put`)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    fn sink(name: &str, published: &str) -> Sink {
        let text = format!(
            r#"{{"name": "{name}", "kind": "webhook", "url": "https://example.com/hook", "content_mode": "binary", "timeout_seconds": 10,
                "max_tries": 20, "created_at": "2026-01-01T10:17:00Z", "changed_at": "2026-01-01T10:17:00Z"{published}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn message(tries: u32, error: &str) -> Message {
        let text = format!(
            r#"{{"id": "0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3e", "reactor": "delays", "sink": "orders", "type": "flight.late", "position": 12,
                "key": "flight-7", "state": "pending", "tries": {tries}{error}, "enqueued_at": "2026-01-01T10:17:00Z",
                "done_at": "2026-01-01T20:00:00Z"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn waiting(pending: u64, seconds: u64, tries: u32, error: &str) -> Waiting {
        let (oldest, oldest_pending) = (Duration::from_secs(seconds), Some(message(tries, error)));
        Waiting { sink: "orders".to_owned(), pending, oldest, oldest_pending, ..Waiting::default() }
    }

    fn found(sinks: &[Sink], waiting: &[Waiting]) -> Vec<(Level, String)> {
        let findings = judge(sinks, waiting, "http://h");
        let says_more = |finding: &Finding| finding.why.is_some() && finding.advice.is_some();
        assert!(findings.iter().all(|finding| finding.level == Level::Ok || says_more(finding)), "{findings:?}");
        findings.into_iter().map(|finding| (finding.level, format!("{}: {}", finding.check, finding.found))).collect()
    }

    const REFUSED: &str = r#", "error": "it answered 503 Service Unavailable""#;

    #[test]
    fn messages_that_arrive_are_no_finding() {
        let fine = |text: &str| vec![(Level::Ok, format!("messages of http://h: {text}"))];
        assert_eq!(found(&[], &[]), fine("there are no sinks"));
        let orders = [sink("orders", "")];
        assert_eq!(found(&orders, &[]), fine("1 sink; 0 messages under way, none has failed"));
        // A try may fail.
        assert_eq!(
            found(&orders, &[waiting(3, 60, 4, REFUSED)]),
            fine("1 sink; 3 messages under way, none has failed")
        );
    }

    #[test]
    fn a_sink_that_takes_nothing_says_since_when_and_why() {
        let orders = [sink("orders", "")];
        let text = "sink orders of http://h: 3 messages not delivered, the oldest since 2026-01-01T10:17:00Z, after 4 tries: it answered 503 Service \
                    Unavailable";
        assert_eq!(found(&orders, &[waiting(3, 61, 4, REFUSED)]), [(Level::Warning, text.to_owned())]);
        assert_eq!(found(&orders, &[waiting(3, 901, 4, REFUSED)]), [(Level::Problem, text.to_owned())]);
        // Nobody has come to it.
        let text =
            "sink orders of http://h: 1 message not delivered, the oldest since 2026-01-01T10:17:00Z, after 0 tries";
        assert_eq!(found(&orders, &[waiting(1, 61, 0, "")]), [(Level::Warning, text.to_owned())]);
    }

    #[test]
    fn a_sink_that_nobody_made_is_a_problem_at_once() {
        let text = "sink orders of http://h: nobody has made it; 2 messages not delivered, the oldest since 2026-01-01T10:17:00Z";
        assert_eq!(found(&[], &[waiting(2, 0, 0, "")]), [(Level::Problem, text.to_owned())]);
    }

    #[test]
    fn messages_that_failed_and_a_log_that_is_not_published_are_problems() {
        let failed = Waiting { failed: 2, oldest_failed: Some(message(20, REFUSED)), ..waiting(0, 0, 0, "") };
        let failed = Waiting { oldest_pending: None, ..failed };
        let published = r#", "published": {"position": 1204, "error": "the server has no stream EVENTS"}"#;
        let sinks = [sink("orders", ""), sink("log", published), sink("other", r#", "published": {"position": 1204}"#)];
        assert_eq!(
            found(&sinks, &[failed]),
            [
                (
                    Level::Problem,
                    "failed messages to sink orders of http://h: 2 messages; the first failed at 2026-01-01T20:00:00Z, after 20 tries: it answered 503 \
                     Service Unavailable"
                        .to_owned()
                ),
                (
                    Level::Problem,
                    "log in sink log of http://h: the log is not published behind position 1,204: the server has no stream EVENTS".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn messages_are_counted_for_each_sink() {
        let measures = Measures::of(
            "gnomon_outbox_pending_messages{sink=\"a\"} 3\ngnomon_outbox_oldest_pending_seconds{sink=\"a\"} 1.5\n\
             gnomon_outbox_failed_messages{sink=\"a\"} 1\ngnomon_outbox_pending_messages{sink=\"b\"} 0\n",
        );
        let counted: Vec<_> = counted(&measures)
            .into_iter()
            .map(|of| (of.sink, of.pending, of.oldest.as_secs_f64(), of.failed))
            .collect();
        assert_eq!(counted, [("a".to_owned(), 3, 1.5, 1), ("b".to_owned(), 0, 0.0, 0)]);
    }
}

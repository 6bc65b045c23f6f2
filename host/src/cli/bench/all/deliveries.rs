//! How long it takes until the message of an event is delivered.

use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Method;

use super::{
    beside,
    closed_loop::{Load, ask_for},
    connection::Connection,
    figure::{Figure, median, milliseconds},
    modules::ANNOUNCES,
    place::Place,
    reactors::begin,
    scale::Scale,
    turns::{Round, in_turn},
    webhook::{SECRET_VARIABLE, Webhook},
};
use crate::{
    api::{Appended, ContentMode, Sink, SinkKind, SinkSettings},
    cli::bench::append::head,
};

/// The sink that the reactor names.
const SINK: &str = "announcements";

/// A client that appends an event, and waits until its message has come.
struct Deliveries<'p> {
    connection: Connection,
    webhook: Webhook,
    place: &'p Place,
    /// Of the first event.
    number: u64,
}

/// How long a message took.
struct Delivered {
    after_request: Duration,
    after_answer: Duration,
}

impl Deliveries<'_> {
    async fn one(&mut self) -> anyhow::Result<Delivered> {
        let event = self.place.bank.movement(self.number);
        self.number += 1;
        let body = format!(r#"{{"events":[{}]}}"#, event.to_append());
        let path = format!("/v1/streams/{}/events", event.stream());
        let asked = Instant::now();
        let appended = self.connection.post(&path, body).await?;
        let answered = Instant::now();
        let Appended { last_position, .. } = serde_json::from_slice(&appended)?;
        let came = self.webhook.until(last_position).await?;
        // The answer and the message are on their ways at the same time.
        Ok(Delivered { after_request: came - asked, after_answer: came.saturating_duration_since(answered) })
    }
}

/// One client's messages, from the answer to its append until the receiver has them, beside one commit.
pub(super) async fn by_webhook(place: &Place, scale: Scale, round: u32) -> anyhow::Result<Round> {
    if round == 0 {
        begin(place, ANNOUNCES, None).await?;
    }
    let ours = async {
        let webhook = Webhook::start().await?;
        put_sink(place, webhook.url()).await?;
        let number = head(&place.client).await?;
        let mut deliveries = Deliveries { connection: place.connection().await?, webhook, place, number };
        // The first may have been sent to the receiver of the round before, and is sent again.
        deliveries.one().await?;
        deliver_for(deliveries, scale.time).await
    };
    let beside = async {
        let clients = beside::inserts(place.sessions(1).await?, place.bank).await?;
        Ok(ask_for(scale.time, clients).await?.latency())
    };
    in_turn(round, ours, beside).await
}

async fn deliver_for(mut deliveries: Deliveries<'_>, time: Duration) -> anyhow::Result<Figure> {
    let (began, cpu) = (Instant::now(), deliveries.place.cpu());
    let (mut after_answers, mut after_requests) = (Vec::new(), Vec::new());
    // Once at least, however short the time is.
    while after_answers.is_empty() || began.elapsed() < time {
        let Delivered { after_request, after_answer } = deliveries.one().await?;
        after_answers.push(after_answer);
        after_requests.push(milliseconds(after_request));
    }
    let load = Load::of(1, began.elapsed(), after_answers);
    Ok(cpu.add_to(load.latency().with("after_request_p50_ms", median(after_requests))))
}

async fn put_sink(place: &Place, url: String) -> anyhow::Result<()> {
    let settings = SinkSettings {
        kind: SinkKind::Webhook,
        url,
        secret: Some(format!("env:{SECRET_VARIABLE}")),
        credentials: None,
        content_mode: ContentMode::Structured,
        subject: None,
        stream: None,
        after: None,
        timeout_seconds: None,
        max_tries: None,
    };
    let request = place.client.request(Method::PUT, &["v1", "sinks", SINK]).json(&settings);
    let _: Sink = place.client.json(request).await.context("cannot make the sink of the benchmark")?;
    Ok(())
}

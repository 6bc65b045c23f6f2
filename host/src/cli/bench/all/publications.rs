//! Publishing the log to JetStream.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_nats::jetstream::{message::StreamMessage, stream::Stream};
use reqwest::Method;

use super::{
    beside,
    figure::Figure,
    nats::Nats,
    place::Place,
    turns::{Round, in_turn},
};
use crate::{
    api::{ContentMode, Sink, SinkKind, SinkSettings},
    cli::bench::append::head,
};

/// The streams: of the log, of the program beside the host, and of the message that both are compared by. They are deleted in the end.
const LOG: &str = "gnomon_bench_log";
const BESIDE: &str = "gnomon_bench_beside";
const SAMPLE: &str = "gnomon_bench_sample";
/// How often it is read how many messages a stream has, …
const EVERY: Duration = Duration::from_millis(5);
/// … and after how many of these times whether anything is wrong.
const CHECKED_EVERY: u32 = 100;

/// The whole log is published, beside a program that publishes as many messages that are as large.
pub(super) async fn of_log(place: &Place, nats: &Nats, round: u32) -> anyhow::Result<Round> {
    let events = head(&place.client).await?;
    let sample = last_message(place, nats, events).await?;
    let rate = |took: Duration| {
        let seconds = took.as_secs_f64();
        let figure = Figure::of(events as f64 / seconds).with("seconds", seconds);
        figure.with("bytes_of_message", sample.payload.len() as f64)
    };
    let ours = async {
        let mut stream = nats.make(LOG).await?;
        let (began, cpu) = (Instant::now(), place.cpu());
        put_sink(place, nats, LOG, 0).await?;
        until_published(place, LOG, &mut stream, events).await?;
        let figure = cpu.add_to(rate(began.elapsed()));
        remove(place, nats, LOG).await?;
        Ok(figure)
    };
    let beside = async {
        nats.make(BESIDE).await?;
        let took = beside::publish(&nats.context, &format!("{BESIDE}.event"), &sample, events).await?;
        nats.remove(BESIDE).await?;
        Ok(rate(took))
    };
    in_turn(round, ours, beside).await
}

/// The last event of the log, as the host publishes it.
async fn last_message(place: &Place, nats: &Nats, events: u64) -> anyhow::Result<StreamMessage> {
    let mut stream = nats.make(SAMPLE).await?;
    put_sink(place, nats, SAMPLE, events - 1).await?;
    until_published(place, SAMPLE, &mut stream, 1).await?;
    let message = stream.get_raw_message(1).await?;
    remove(place, nats, SAMPLE).await?;
    Ok(message)
}

async fn put_sink(place: &Place, nats: &Nats, name: &str, after: u64) -> anyhow::Result<()> {
    let settings = SinkSettings {
        kind: SinkKind::Log,
        url: nats.url.clone(),
        secret: None,
        credentials: None,
        content_mode: ContentMode::Structured,
        subject: Some(format!("{name}.{{category}}.{{type}}")),
        stream: Some(name.to_owned()),
        after: Some(after),
        timeout_seconds: None,
        max_tries: None,
    };
    let request = place.client.request(Method::PUT, &["v1", "sinks", name]).json(&settings);
    let _: Sink = place.client.json(request).await?;
    Ok(())
}

/// Waits until a stream has so many messages.
async fn until_published(place: &Place, name: &str, stream: &mut Stream, messages: u64) -> anyhow::Result<()> {
    for looked in 1.. {
        let info = stream.info().await.with_context(|| format!("JetStream does not tell of its stream {name}"))?;
        if info.state.last_sequence >= messages {
            break;
        }
        if looked % CHECKED_EVERY == 0 {
            let sink: Sink = place.client.json(place.client.get(&["v1", "sinks", name])).await?;
            if let Some(error) = sink.published.and_then(|published| published.error) {
                bail!("the log is not published: {error}");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok(())
}

async fn remove(place: &Place, nats: &Nats, name: &str) -> anyhow::Result<()> {
    place.client.send(place.client.request(Method::DELETE, &["v1", "sinks", name])).await?;
    nats.remove(name).await
}

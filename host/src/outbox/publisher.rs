//! Publishes the log to a stream of JetStream.
//!
//! The stream itself says how far it has come: its last message has the position of its event. Each message names the number that the one before it has
//! in the stream, so that the server takes it there, once, or not at all: whatever was sent and not answered, and whatever another host sends that takes
//! itself for the one that publishes. After each error the last message is read again.

use std::{collections::VecDeque, sync::Arc};

use async_nats::{
    HeaderMap,
    header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{
        Context,
        context::{ContextBuilder, GetStreamErrorKind, PublishAckFuture, PublishError, PublishErrorKind},
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use serde_json::value::RawValue;
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    cloud_event::CloudEvent,
    nats,
    outcome::Failure,
    publication::{self, LEASE, Publication},
    shared::Shared,
    sink::{ContentMode, SinkSettings},
    sink_name::SinkName,
    subject::SubjectTemplate,
};
use crate::{
    event_log::{Filter, PageSize, Position, RecordedEvent},
    postgres::Backoff,
};

/// The header that has the position of a message's event.
const POSITION: &str = "Gnomon-Position";
/// What is read of the log at once. The next page is read while one is sent.
const PAGE: PageSize = PageSize { events: 4096, bytes: 4 << 20 };
/// Messages that may be without an answer: so many are sent before it is waited for what the server says of the first of them.
pub const UNANSWERED: usize = 8192;
/// Bytes of these: what a client holds that cannot send them.
pub const UNANSWERED_BYTES: usize = 8 << 20;
/// How often it is noted how far the log is published.
const NOTE_EVERY: Duration = Duration::from_secs(2);
/// How often the stream is looked at while nothing is published: it may have been deleted, and made again.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The publisher of a sink on this host. Of all hosts, the one that has the lease publishes.
pub(super) struct Publisher {
    pub(super) shared: Arc<Shared>,
    pub(super) sink: SinkName,
    pub(super) settings: watch::Receiver<Arc<SinkSettings>>,
    pub(super) stop: CancellationToken,
}

/// Why a session with the server has ended.
enum End {
    /// The host stops, or the sink has changed.
    Asked,
    /// Another host has the lease.
    Elsewhere,
    /// Something failed, and is tried again.
    Failed(Failure),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<sqlx::Error> for End {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(Failure::of(error))
    }
}

/// Where the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reached {
    position: Position,
    /// The number of its last message.
    sequence: u64,
}

impl Publisher {
    /// Publishes until it is told to stop.
    pub(super) async fn run(mut self) {
        let lease = Uuid::new_v4();
        let mut backoff = Backoff::new(self.shared.settings.look_every, Duration::from_secs(10));
        let mut said = None;
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let pause = match self.session(lease).await {
                End::Asked => Duration::ZERO,
                End::Elsewhere => self.shared.settings.look_every,
                End::Failed(Failure { reason, .. }) => {
                    if said.as_ref() != Some(&reason) {
                        warn!(sink = %self.sink, reason, "the log is not published, trying again");
                        said = Some(reason);
                    }
                    if began.elapsed() > LEASE {
                        backoff.reset();
                    }
                    backoff.next_pause()
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
        if let Err(error) = publication::release(&self.shared.pool, &self.sink, lease).await {
            warn!(sink = %self.sink, %error, "the lease of a publication is left to end");
        }
    }

    /// Publishes on one connection, for as long as nothing fails.
    async fn session(&mut self, lease: Uuid) -> End {
        let settings = Arc::clone(&self.settings.borrow_and_update());
        let noted = match publication::acquire(&self.shared.pool, &self.sink, lease).await {
            Ok(Some(noted)) => noted,
            Ok(None) => return End::Elsewhere,
            Err(error) => return error.into(),
        };
        match self.publish(&settings, lease, &noted).await {
            Ok(never) => match never {},
            Err(End::Failed(failure)) => {
                let note = publication::note_error(&self.shared.pool, &self.sink, lease, &failure.reason).await;
                note.map_or_else(End::from, |()| End::Failed(failure))
            }
            Err(end) => end,
        }
    }

    async fn publish(
        &mut self,
        settings: &SinkSettings,
        lease: Uuid,
        noted: &Publication,
    ) -> Result<std::convert::Infallible, End> {
        let client = nats::connect(&self.shared.sending.secrets, settings).await?;
        let context =
            ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).max_ack_inflight(UNANSWERED).build(client);
        let reached = self.reached(&context, settings, noted).await?;
        info!(sink = %self.sink, position = %reached.position, "publishing the log");
        let (mut head, mut last_note) = (self.shared.log.head(), None::<Instant>);
        let mut looked = Instant::now();
        let mut sender = Sender::new(&context, settings, reached)?;
        let mut page = Vec::new();
        loop {
            if self.stop.is_cancelled() || self.settings.has_changed().unwrap_or(true) {
                self.note(lease, sender.answered().await?).await?;
                return Err(End::Asked);
            }
            head.mark_unchanged();
            let last = page.last().map_or(sender.sent.position, |last: &RecordedEvent| last.position);
            let filter = Filter::default();
            let read = self.shared.log.read_batch(last, PAGE, &filter);
            // Both at once, while the server works on what was sent before.
            let (sent, read) = tokio::join!(sender.send(&page), read);
            sent?;
            page = read?.events;
            if page.is_empty() {
                let reached = sender.answered().await?;
                if looked.elapsed() >= LOOK_EVERY {
                    look(&context, settings, reached).await?;
                    looked = Instant::now();
                }
            } else {
                // The server says with each answer where the stream is.
                looked = Instant::now();
            }
            if last_note.is_none_or(|noted| noted.elapsed() >= NOTE_EVERY) {
                self.note(lease, sender.taken).await?;
                last_note = Some(Instant::now());
            }
            if page.is_empty() {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    _ = self.settings.changed() => self.settings.mark_changed(),
                    changed = head.changed() => changed.map_err(|_| End::Asked)?,
                    () = sleep(NOTE_EVERY) => {}
                }
            }
        }
    }

    async fn note(&self, lease: Uuid, Reached { position, sequence }: Reached) -> Result<(), End> {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        let publication = Publication { position, sequence, error: None };
        let holds = publication::note(&self.shared.pool, &self.sink, lease, &publication).await?;
        if holds { Ok(()) } else { Err(End::Elsewhere) }
    }

    /// Where the stream is, by its last message.
    async fn reached(&self, context: &Context, settings: &SinkSettings, noted: &Publication) -> Result<Reached, End> {
        let name = settings.stream.as_deref().unwrap_or_default();
        let stream = stream(context, name).await?;
        let sequence = stream.cached_info().state.last_sequence;
        if sequence == 0 {
            return Ok(Reached { position: Position(settings.after), sequence });
        }
        let position = match stream.get_raw_message(sequence).await {
            Ok(last) => {
                let header = |name: &str| last.headers.get(name).map(|value| value.as_str().to_owned());
                let position = header(POSITION).and_then(|position| position.parse().ok()).map(Position);
                let position = position.ok_or_else(|| {
                    Failure::of(format_args!(
                        "the last message of the stream `{name}` is not an event of this log; the log needs a stream of its own"
                    ))
                })?;
                self.check(position, header(NATS_MESSAGE_ID.as_ref()).as_deref(), name).await?;
                position
            }
            // It was removed by the limits of the stream.
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {
                if i64::try_from(sequence) != Ok(noted.sequence) {
                    return Err(End::Failed(Failure::of(format_args!(
                        "the last message of the stream `{name}`, number {sequence}, was removed before it was noted which event it was; make a new \
                         stream, or let this one keep its messages for longer"
                    ))));
                }
                noted.position
            }
            Err(error) => {
                return Err(End::Failed(Failure::of(format_args!(
                    "the last message of the stream `{name}` cannot be read: {error}"
                ))));
            }
        };
        Ok(Reached { position, sequence })
    }

    /// Checks that the log has the event that the stream has last.
    async fn check(&self, position: Position, id: Option<&str>, stream: &str) -> Result<(), End> {
        let found = self.shared.log.read_at(&[position]).await?;
        if found.first().map(|event| event.id.to_string()).as_deref() == id {
            return Ok(());
        }
        Err(End::Failed(Failure::of(format_args!(
            "the stream `{stream}` has an event last, of position {position}, that this log does not have there: it is another log, or this one was \
             restored from a backup. Publish to a new stream"
        ))))
    }
}

/// Fails if the stream is not where it was left.
async fn look(context: &Context, settings: &SinkSettings, reached: Reached) -> Result<(), Failure> {
    let name = settings.stream.as_deref().unwrap_or_default();
    let sequence = stream(context, name).await?.cached_info().state.last_sequence;
    if sequence == reached.sequence {
        return Ok(());
    }
    Err(Failure::of(format_args!(
        "the last message of the stream `{name}` has the number {sequence}, and not {}: the stream was made again, or has got messages from somebody else",
        reached.sequence
    )))
}

/// The stream of a name.
async fn stream(context: &Context, name: &str) -> Result<Stream, Failure> {
    context.get_stream(name).await.map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(error) if error.code() == 404 => Failure::of(format_args!(
            "JetStream has no stream `{name}`; make it, for the subjects of the sink and for nothing else"
        )),
        _ => Failure::of(format_args!("JetStream does not say how far its stream `{name}` is: {error}")),
    })
}

/// Sends events, several before the server has answered the first.
struct Sender<'s> {
    context: &'s Context,
    template: &'s SubjectTemplate,
    content_mode: ContentMode,
    /// The name of the stream.
    stream: &'s str,
    /// Where the stream is if the server takes all that was sent.
    sent: Reached,
    /// Where it is by what the server has answered.
    taken: Reached,
    /// What was sent since, with where the stream is then.
    unanswered: VecDeque<Unanswered>,
    /// The bytes of these messages.
    bytes: usize,
}

/// A message that the server has not answered.
struct Unanswered {
    /// Where the stream is when it has.
    reached: Reached,
    answer: PublishAckFuture,
    bytes: usize,
}

impl<'s> Sender<'s> {
    fn new(context: &'s Context, settings: &'s SinkSettings, reached: Reached) -> Result<Self, Failure> {
        let template = settings.subject.as_ref().ok_or_else(|| Failure::of("the sink has no subject"))?;
        let (content_mode, stream) = (settings.content_mode, settings.stream.as_deref().unwrap_or_default());
        let (sent, taken, unanswered) = (reached, reached, VecDeque::with_capacity(UNANSWERED));
        Ok(Self { context, template, content_mode, stream, sent, taken, unanswered, bytes: 0 })
    }

    /// Sends events; of what was sent, no more than [`UNANSWERED`] messages are without an answer then, or a few of [`UNANSWERED_BYTES`].
    async fn send(&mut self, events: &[RecordedEvent]) -> Result<(), Failure> {
        for event in events {
            while self.unanswered.len() >= UNANSWERED || self.bytes >= UNANSWERED_BYTES {
                self.hear().await?;
            }
            let data: &RawValue = serde_json::from_str(event.data.as_str()).map_err(Failure::of)?;
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, event.id.to_string());
            headers.insert(NATS_EXPECTED_LAST_SEQUENCE, self.sent.sequence.to_string());
            headers.insert(POSITION, event.position.to_string());
            let cloud_event = CloudEvent::of_event(event, data);
            let payload = nats::write(&cloud_event, self.content_mode, event.data.as_str(), &mut headers)?;
            let subject = self.template.render(&[
                ("category", event.stream.category()),
                ("type", event.event_type.as_str()),
                ("stream", event.stream.as_str()),
            ]);
            let bytes = payload.len();
            let answer = self.context.publish_with_headers(subject, headers, payload.into()).await;
            let answer = answer.map_err(|error| self.explain(&error))?;
            self.sent = Reached { position: event.position, sequence: self.sent.sequence + 1 };
            self.unanswered.push_back(Unanswered { reached: self.sent, answer, bytes });
            self.bytes += bytes;
        }
        Ok(())
    }

    /// Waits until the server has answered all that was sent; returns where the stream is.
    async fn answered(&mut self) -> Result<Reached, Failure> {
        while !self.unanswered.is_empty() {
            self.hear().await?;
        }
        Ok(self.taken)
    }

    /// Waits for the next answer.
    async fn hear(&mut self) -> Result<(), Failure> {
        let Some(Unanswered { reached, answer, bytes }) = self.unanswered.pop_front() else { return Ok(()) };
        self.bytes -= bytes;
        let answer = answer.await.map_err(|error| self.explain(&error))?;
        if answer.stream != self.stream {
            return Err(Failure::of(format_args!(
                "the stream `{}` takes subjects of the sink, and not `{}`",
                answer.stream, self.stream
            )));
        }
        if answer.sequence != reached.sequence {
            return Err(Failure::of("the stream has got messages from somebody else"));
        }
        self.taken = reached;
        Ok(())
    }

    fn explain(&self, error: &PublishError) -> Failure {
        match error.kind() {
            PublishErrorKind::StreamNotFound => Failure::of(format_args!(
                "no stream takes the subjects of the sink; `{}` must take all of them",
                self.stream
            )),
            _ => Failure::of(format_args!("JetStream did not take an event: {error}")),
        }
    }
}

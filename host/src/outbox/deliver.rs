//! The delivery of the messages of one key, one after the other.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, warn};

use super::{
    answers::{self, AnswerError, Call},
    claim::{self, Claim, Done, Next},
    endpoint, jetstream,
    message::{Message, MessageState},
    outcome::{Failure, Outcome},
    shared::Shared,
    sink::{SinkKind, SinkSettings},
    webhook,
};
use crate::{
    metrics,
    postgres::{Backoff, is_transient},
    telemetry::{Span, TraceContext},
};

/// What a claim lasts beyond the time of a try: for what is read and written before and after it.
const RESERVE: Duration = Duration::from_secs(15);
/// Messages of a key that are sent before others have their turn.
const IN_A_ROW: usize = 32;

/// How long a claim on a key of a sink lasts.
pub(super) fn claim_lasts(settings: &SinkSettings) -> Duration {
    settings.timeout() + RESERVE
}

/// Sends the messages of a key, from the first one on. Returns whether it leaves some that could be sent now. Dropped, it leaves the message that is
/// under way to whoever claims the key next.
pub(super) async fn deliver(
    shared: &Shared,
    settings: &SinkSettings,
    claim: Claim,
    first: Message,
    began: Instant,
) -> bool {
    let (mut message, mut claimed) = (first, began);
    for nth in 1..=IN_A_ROW {
        if claimed.elapsed() > RESERVE / 2 {
            // This host stood still, or was busy. A claim that is over may be another host's by now; one that is not is given back.
            debug!(sink = %claim.sink, "a claim on messages is given up, since this host stood still");
            if let Err(error) = claim::release(&shared.pool, &claim).await {
                debug!(sink = %claim.sink, %error, "a claim on messages is left to end");
            }
            return true;
        }
        let deadline = claimed + claim.lasts;
        let delivery = Delivery { shared, settings, claim: &claim, message: &message };
        let Ok(next) = timeout_at(deadline, delivery.run(nth < IN_A_ROW)).await else { return false };
        match next {
            Ended::Next(next, at) => (message, claimed) = (*next, at),
            Ended::Key { is_left } => return is_left,
        }
    }
    false
}

/// The delivery of one message.
struct Delivery<'a> {
    shared: &'a Shared,
    settings: &'a SinkSettings,
    claim: &'a Claim,
    message: &'a Message,
}

/// How it ends.
enum Ended {
    /// With the next message of the key, which is claimed from an instant on.
    Next(Box<Message>, Instant),
    /// With nothing more to do for now.
    Key { is_left: bool },
}

impl Delivery<'_> {
    async fn run(&self, wants_next: bool) -> Ended {
        let Self { settings, message, .. } = self;
        let began = Instant::now();
        let span = self.span();
        // What receives it goes on in the trace: from this try, or from the event while the host has no traces.
        let trace = span.to_context().map(|context| context.to_string()).or_else(|| message.traceparent.clone());
        let sent = timeout(settings.timeout(), span.scope(self.send(trace.as_deref())));
        let outcome = sent.await.unwrap_or_else(|_| {
            let reason = format!("no whole answer came within {} s (timeout_seconds)", settings.timeout_seconds);
            Outcome::Later(Failure::of(reason), None)
        });
        if let Outcome::Refused(failure) | Outcome::Later(failure, _) = &outcome {
            span.failed(&failure.reason);
        }
        drop(span);
        metrics::of_host().outbox.tried(self.claim.sink.as_str(), word(&outcome), began.elapsed());
        let tries = message.tries.saturating_add(1);
        match outcome {
            Outcome::Delivered(answer) => {
                let state = match (self.call(), &answer) {
                    (Some(call), Some(answer)) => answers::append_patiently(&self.shared.log, call, Ok(answer)).await,
                    _ => Ok(MessageState::Delivered),
                };
                self.finish(state, 1, None, wants_next).await
            }
            Outcome::Refused(failure) => self.fail(failure, tries, wants_next).await,
            Outcome::Later(Failure { status, reason }, _) if tries >= settings.max_tries => {
                let reason = format!("{reason} (after {tries} tries, max_tries)");
                self.fail(Failure { status, reason }, tries, wants_next).await
            }
            Outcome::Later(failure, asked) => {
                let pause = self.shared.pauses().after(tries, asked, rand::random());
                debug!(sink = %self.claim.sink, message = %message.id, reason = failure.reason, "a message is tried again in {} s", pause.as_secs_f64());
                let (pool, claim, number, reason) = (&self.shared.pool, self.claim, message.number, &failure.reason);
                let write = || claim::postpone(pool, claim, number, 1, reason, pause);
                let _ = patiently(write).await;
                Ended::Key { is_left: false }
            }
        }
    }

    fn call(&self) -> Option<Call<'_>> {
        let Message { reactor, id, call, .. } = self.message;
        call.as_ref().map(|name| Call { reactor, message: *id, name })
    }

    /// The span of one try, in the trace of the event that the message comes from.
    fn span(&self) -> Span {
        let Self { claim, message, .. } = self;
        let event = message.traceparent.as_deref().and_then(TraceContext::parse);
        Span::of_sending("deliver", event.as_ref(), |span| {
            span.attribute("sink", claim.sink.to_string());
            span.attribute("reactor", message.reactor.clone());
            span.attribute("message", message.id.to_string());
            span.number("position", message.position.0);
            span.number("try", message.tries.saturating_add(1));
        })
    }

    async fn send(&self, trace: Option<&str>) -> Outcome {
        let Self { shared, settings, message, .. } = self;
        let sending = &shared.sending;
        match (settings.kind, &message.call) {
            (SinkKind::Webhook, None) => webhook::send(sending, settings, message, trace).await,
            (SinkKind::Endpoint, Some(_)) => endpoint::send(sending, settings, message, trace).await,
            (SinkKind::Nats, None) => jetstream::send(sending, &self.claim.sink, settings, message, trace).await,
            (SinkKind::Log, _) => Outcome::Later(
                Failure::of("this sink gets the log, and no messages; change the sink, or the reactor"),
                None,
            ),
            (kind, Some(_)) => {
                let reason = format!(
                    "calls go to endpoints, and this sink is of the kind `{kind}`; change the sink, or the reactor"
                );
                Outcome::Later(Failure::of(reason), None)
            }
            (SinkKind::Endpoint, None) => {
                let reason = "messages are published to webhooks and to NATS, and this sink is an endpoint; change the sink, or the reactor";
                Outcome::Later(Failure::of(reason), None)
            }
        }
    }

    /// The end of a message that is not sent any more.
    async fn fail(&self, failure: Failure, tries: u32, wants_next: bool) -> Ended {
        let Self { shared, claim, message, .. } = self;
        warn!(sink = %claim.sink, reactor = message.reactor, message = %message.id, reason = failure.reason, "a message has failed");
        let state = match self.call() {
            Some(call) => answers::append_patiently(&shared.log, call, Err((&failure, tries))).await,
            None => Ok(MessageState::Failed),
        };
        self.finish(state, 1, Some(failure.reason), wants_next).await
    }

    async fn finish(
        &self,
        state: Result<MessageState, AnswerError>,
        tries: u32,
        error: Option<String>,
        wants_next: bool,
    ) -> Ended {
        let is_told = self.call().is_some() && state.is_ok();
        let (state, error) = match state {
            Ok(state) => (state, error.filter(|_| state == MessageState::Failed)),
            // Its answer is lost, and operators see why.
            Err(error) => (MessageState::Failed, Some(error.to_string())),
        };
        // What has become of a call, its reactor sees to.
        let ended = if state == MessageState::Failed && is_told { "call_failed" } else { state.as_str() };
        metrics::of_host().outbox.ended(self.claim.sink.as_str(), ended);
        let done = Done { state, tries, error: error.as_deref() };
        let (pool, claim, number) = (&self.shared.pool, self.claim, self.message.number);
        // The claim is prolonged from some time after this on.
        let at = Instant::now();
        match patiently(|| claim::finish(pool, claim, number, done, wants_next)).await {
            Some(Next::Message(next)) => Ended::Next(next, at),
            Some(Next::Nothing) => Ended::Key { is_left: !wants_next },
            Some(Next::Lost) | None => Ended::Key { is_left: false },
        }
    }
}

/// Writes something, and tries again while Postgres is away. The caller drops this when the claim has ended. `None` if it cannot be written.
async fn patiently<T, F: Future<Output = Result<T, sqlx::Error>>>(write: impl Fn() -> F) -> Option<T> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        match write().await {
            Ok(written) => return Some(written),
            Err(error) if is_transient(&error) => sleep(backoff.next_pause()).await,
            Err(error) => {
                warn!(%error, "the end of a delivery cannot be written; the message is sent again");
                return None;
            }
        }
    }
}

/// An outcome, in a word.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Refused(_) => "refused",
        Outcome::Later(..) => "later",
    }
}

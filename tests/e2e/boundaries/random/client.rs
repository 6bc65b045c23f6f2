//! Clients that append and read at random, and keep what they were answered.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::{
    alphabet::Query,
    request::{Known, Request},
};

/// After so long a client takes its request for lost. A host that lives answers sooner.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What all clients share.
#[derive(Default)]
pub(super) struct Shared {
    /// The URLs of the hosts, which change when they are started again.
    pub(super) urls: Mutex<Vec<String>>,
    pub(super) known: Known,
    pub(super) stop: AtomicBool,
    /// Appends that were answered.
    pub(super) answered: AtomicU64,
}

/// Stream, version and position of an event.
pub(super) type Place = (String, u64, u64);

/// How an append was answered.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was appended: the place of each of its events.
    Appended(Vec<Place>),
    /// An event matches: its position, its stream and its type.
    ConditionFailed(u64, String, String),
    /// A stream has another version than was expected.
    WrongVersion(String, u64),
    /// The condition is after a position that the log does not have.
    BeyondHead,
    /// The client gave up without an answer.
    Unknown,
}

/// An append that was sent.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) request: Request,
    pub(super) outcome: Outcome,
    /// It was sent before, without an answer.
    pub(super) sent_before: bool,
    /// It was answered as a repeat: an earlier try, of the client or of its host, was in the log.
    pub(super) found_again: bool,
    /// It was sent again when it was in the log, on a condition that cannot hold, and answered as before.
    pub(super) repeated: bool,
}

/// A page that was read by a query.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) query: Query,
    pub(super) backward: bool,
    pub(super) after: Option<u64>,
    pub(super) limit: usize,
    pub(super) page: Value,
}

/// What a client did.
#[derive(Default)]
pub(super) struct Record {
    pub(super) appends: Vec<Done>,
    pub(super) reads: Vec<Read>,
}

pub(super) struct RandomClient {
    pub(super) shared: Arc<Shared>,
    pub(super) random: StdRng,
    pub(super) client: Client,
}

impl RandomClient {
    /// Appends and reads until it is stopped.
    ///
    /// # Errors
    /// An answer that no request may have.
    pub(super) async fn run(mut self) -> Result<Record, String> {
        let mut record = Record::default();
        while !self.shared.stop.load(Ordering::SeqCst) {
            match self.random.random_range(0..10) {
                0 => self.repeat(&mut record.appends).await?,
                1 => record.reads.extend(self.read().await?),
                _ => record.appends.push(self.append().await?),
            }
        }
        Ok(record)
    }

    /// Appends, again and again while there is no answer, or gives up.
    async fn append(&mut self) -> Result<Done, String> {
        let request = Request::random(&mut self.random, &self.shared.known);
        let mut sent_before = false;
        loop {
            if let Some((status, answer)) = self.post(&request.path, &request.body).await
                && let Some(outcome) = outcome(&request, status, &answer)?
            {
                self.learn(&outcome);
                self.shared.answered.fetch_add(1, Ordering::SeqCst);
                let found_again = status == StatusCode::OK;
                return Ok(Done { request, outcome, sent_before, found_again, repeated: false });
            }
            if self.random.random_bool(0.2) {
                let outcome = Outcome::Unknown;
                return Ok(Done { request, outcome, sent_before, found_again: false, repeated: false });
            }
            sent_before = true;
        }
    }

    /// Sends an append again that is in the log.
    async fn repeat(&mut self, appends: &mut [Done]) -> Result<(), String> {
        if appends.is_empty() {
            return Ok(());
        }
        let index = self.random.random_range(0..appends.len());
        let Done { request, outcome: Outcome::Appended(places), repeated, .. } = &mut appends[index] else {
            return Ok(());
        };
        let Some((status, answer)) = self.post(&request.path, &request.with_failing_condition()).await else {
            return Ok(());
        };
        match outcome(request, status, &answer)? {
            None => Ok(()),
            Some(Outcome::Appended(again)) if status == StatusCode::OK && again == *places => {
                *repeated = true;
                Ok(())
            }
            Some(_) => Err(format!("{request:?} was answered {places:?}, and then {status}: {answer}")),
        }
    }

    /// Reads a page by a query.
    async fn read(&mut self) -> Result<Option<Read>, String> {
        let (query, backward) = (Query::random(&mut self.random), self.random.random_bool(0.5));
        let after = self.random.random_bool(0.9).then(|| self.shared.known.some_position(&mut self.random));
        let limit = self.random.random_range(1..=50);
        let mut path = format!("/v1/events/query?limit={limit}");
        if backward {
            path += "&direction=backward";
        }
        if let Some(after) = after {
            path += &format!("&after={after}");
        }
        match self.post(&path, &query.json()).await {
            Some((StatusCode::OK, page)) => Ok(Some(Read { query, backward, after, limit, page })),
            Some((StatusCode::SERVICE_UNAVAILABLE, _)) | None => Ok(None),
            Some((status, answer)) => Err(format!("{path} {} was answered {status}: {answer}", query.json())),
        }
    }

    /// Sends a request to one of the hosts; nothing if that does not answer.
    async fn post(&mut self, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let url = {
            let urls = self.shared.urls.lock().unwrap();
            urls[self.random.random_range(0..urls.len())].clone()
        };
        let request = self.client.post(format!("{url}{path}")).json(body).timeout(REQUEST_TIMEOUT);
        let answer = async {
            let response = request.send().await.ok()?;
            Some((response.status(), response.json().await.ok()?))
        };
        let answer = answer.await;
        if answer.is_none() {
            // Nobody listens there now.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        answer
    }

    fn learn(&self, outcome: &Outcome) {
        let known = &self.shared.known;
        match outcome {
            Outcome::Appended(places) => {
                for (stream, version, position) in places {
                    known.see_position(*position);
                    known.see_version(stream, *version);
                }
            }
            Outcome::ConditionFailed(position, ..) => known.see_position(*position),
            Outcome::WrongVersion(stream, version) => known.see_version(stream, *version),
            Outcome::BeyondHead | Outcome::Unknown => {}
        }
    }
}

/// What an answer says of an append; nothing if it may be in the log or not.
fn outcome(request: &Request, status: StatusCode, answer: &Value) -> Result<Option<Outcome>, String> {
    let unexpected = || format!("{request:?} was answered {status}: {answer}");
    let text = |name: &str| answer[name].as_str().map(str::to_owned).ok_or_else(unexpected);
    let number = |name: &str| answer[name].as_u64().ok_or_else(unexpected);
    let outcome = match (status, answer["code"].as_str()) {
        (StatusCode::CREATED | StatusCode::OK, _) => {
            let one = [answer.clone()];
            let appended = answer["appends"].as_array().map_or(&one[..], Vec::as_slice);
            Outcome::Appended(appended.iter().flat_map(places).collect())
        }
        (StatusCode::CONFLICT, Some("append_condition_failed")) => {
            Outcome::ConditionFailed(number("position")?, text("stream")?, text("event_type")?)
        }
        (StatusCode::CONFLICT, Some("wrong_expected_version")) => {
            Outcome::WrongVersion(text("stream")?, number("current_version")?)
        }
        (StatusCode::CONFLICT, Some("position_beyond_head")) => Outcome::BeyondHead,
        (StatusCode::SERVICE_UNAVAILABLE, _) => return Ok(None),
        _ => return Err(unexpected()),
    };
    Ok(Some(outcome))
}

/// The places of the events of one entry of an answer.
fn places(appended: &Value) -> Vec<Place> {
    let stream = appended["stream"].as_str().unwrap();
    let number = |name: &str| appended[name].as_u64().unwrap();
    let versions = number("first_version")..=number("last_version");
    let positions = number("first_position")..=number("last_position");
    assert_eq!(json!(versions.clone().count()), json!(positions.clone().count()), "{appended}");
    versions.zip(positions).map(|(version, position)| (stream.to_owned(), version, position)).collect()
}

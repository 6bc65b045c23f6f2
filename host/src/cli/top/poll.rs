//! Asks a host each second.

use std::time::{Duration, Instant};

use tokio::{sync::mpsc, time::timeout};

use crate::cli::{
    client::{Client, ClientError},
    measures::Measures,
};

/// The time between two questions.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The answer of a host, or why there is none.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) at: Instant,
    pub(super) said: Result<Said, String>,
}

/// What a host says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) measures: Measures,
    /// Why it is not ready, if it is not.
    pub(super) not_ready: Option<String>,
}

/// Asks until nobody listens.
pub(super) fn poll(client: Client) -> mpsc::Receiver<Answer> {
    let (tell, answers) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        // After a slow answer, the next question waits its time.
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            #[cfg(debug_assertions)]
            super::panics::at(super::panics::Place::Poll);
            let said = match timeout(TIMEOUT, ask(&client)).await {
                Ok(Ok(said)) => Ok(said),
                Ok(Err(error)) => Err(error.without_advice()),
                Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
            };
            if tell.send(Answer { at: Instant::now(), said }).await.is_err() {
                return;
            }
        }
    });
    answers
}

async fn ask(client: &Client) -> Result<Said, ClientError> {
    let (measures, ready) = tokio::join!(Measures::ask(client), client.send(client.get(&["health", "ready"])));
    let not_ready = match ready {
        Ok(_) => None,
        Err(ClientError::Refused(problem)) => Some(problem.detail().to_owned()),
        Err(error) => return Err(error),
    };
    match measures {
        Ok(measures) => Ok(Said { measures, not_ready }),
        // One that is starting says so, and measures nothing yet.
        Err(ClientError::Refused(_)) if not_ready.is_some() => Ok(Said { measures: Measures::default(), not_ready }),
        Err(error) => Err(error),
    }
}

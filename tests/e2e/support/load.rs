//! Queries and appends in the background.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;
use tokio::task::JoinHandle;

use super::client;

/// Clients that query and append without a pause. A request that fails, or a position that goes back, fails the test when the load
/// is stopped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    readers: Vec<JoinHandle<Result<u64, String>>>,
    writers: Vec<JoinHandle<Result<u64, String>>>,
}

impl Load {
    /// Readers of a path under `/v1/read-models`, and writers of events `Counted` in streams `count-…`.
    pub(crate) fn start(url: &str, path: &str, readers: usize, writers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let path = format!("{url}/v1/read-models/{path}");
        Self {
            readers: (0..readers).map(|_| tokio::spawn(read(path.clone(), Arc::clone(&stop)))).collect(),
            writers: (0..writers)
                .map(|writer| tokio::spawn(write(url.to_owned(), writer, Arc::clone(&stop))))
                .collect(),
            stop,
        }
    }

    /// Stops the clients; returns the numbers of reads and of appends.
    pub(crate) async fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut reads, mut appends) = (0, 0);
        for reader in self.readers {
            reads += reader.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
        }
        for writer in self.writers {
            appends += writer.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
        }
        (reads, appends)
    }
}

async fn read(url: String, stop: Arc<AtomicBool>) -> Result<u64, String> {
    let client = client();
    let (mut reads, mut seen) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let response = client.get(&url).send().await.map_err(|error| format!("{error:?}"))?;
        let status = response.status();
        let position = response.headers().get("gnomon-position").and_then(|text| text.to_str().ok()?.parse().ok());
        let body = response.text().await.map_err(|error| format!("{error:?}"))?;
        let position: u64 = position.filter(|_| status.is_success()).ok_or_else(|| format!("{status}: {body}"))?;
        if position < seen {
            return Err(format!("a reader saw position {seen}, and after that {position}"));
        }
        seen = position;
        reads += 1;
    }
    Ok(reads)
}

async fn write(url: String, writer: usize, stop: Arc<AtomicBool>) -> Result<u64, String> {
    let client = client();
    let mut appends = 0;
    while !stop.load(Ordering::Relaxed) {
        let body = json!({"events": [{"type": "Counted", "data": {"n": 1}}]});
        let url = format!("{url}/v1/streams/count-{writer}/events");
        let response = client.post(url).json(&body).send().await.map_err(|error| format!("{error:?}"))?;
        if !response.status().is_success() {
            return Err(format!("{}: {}", response.status(), response.text().await.unwrap_or_default()));
        }
        appends += 1;
    }
    Ok(appends)
}

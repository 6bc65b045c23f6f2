//! Following the progress of projections.

use std::{collections::HashMap, time::Duration};

use axum::response::Response;
use futures_util::stream;

use crate::{
    api,
    builds::RetiredBuilds,
    http::{caller::By, sse, state::Api},
    read_model::Identifier,
};

/// How often the progress is read.
const EVERY: Duration = Duration::from_millis(500);

/// The projections that a client follows.
pub(super) enum Watched {
    /// All that this caller may see.
    All(By),
    /// One projection. When it is deleted, no more events come.
    One(Identifier),
}

struct Watch {
    api: Api,
    watched: Watched,
    retired: RetiredBuilds,
    /// The last event of each projection, as JSON.
    sent: HashMap<Identifier, String>,
    first: bool,
}

/// Answers with events `projection`, each of which is a projection as `GET` answers it: all of them first, then each that has
/// changed.
pub(super) fn respond(api: Api, watched: Watched, retired: RetiredBuilds) -> Response {
    let closing = api.closing.clone();
    let watch = Watch { api, watched, retired, sent: HashMap::new(), first: true };
    sse::respond(
        stream::unfold(watch, |mut watch| async {
            let changes = loop {
                match watch.next().await {
                    // Nothing has changed.
                    Ok(changes) if changes.is_empty() => {}
                    changes => break changes,
                }
            };
            Some((changes.map(|changes| sse::together(changes).into()), watch))
        }),
        closing,
    )
}

impl Watch {
    /// The projections that have changed since the last time.
    async fn next(&mut self) -> Result<Vec<sse::Message>, sqlx::Error> {
        if !std::mem::take(&mut self.first) {
            tokio::time::sleep(EVERY).await;
        }
        let projections = match &self.watched {
            Watched::All(by) => {
                let mut all = self.api.operations.projections(self.retired).await?;
                all.retain(|found| by.sees_in_list(found.name.as_str()));
                all
            }
            Watched::One(name) => self.api.operations.projection(name, self.retired).await?.into_iter().collect(),
        };
        let mut changes = Vec::new();
        for projection in projections {
            let name = projection.name.clone();
            let text = serde_json::to_string(&api::Projection::from(projection))
                .map_err(|error| sqlx::Error::Decode(error.into()))?;
            if self.sent.get(&name) != Some(&text) {
                changes.push(sse::Message::named("projection", &text));
                self.sent.insert(name, text);
            }
        }
        Ok(changes)
    }
}

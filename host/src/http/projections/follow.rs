//! Following the progress of projections.

use std::{collections::HashMap, time::Duration};

use axum::response::{Response, sse::Event};
use futures_util::stream;

use crate::{
    api,
    http::{sse, state::Api},
    read_model::Identifier,
};

/// How often progress is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// What is watched.
pub(super) enum Watched {
    /// Every projection.
    All,
    /// One of them. When it is deleted, nothing more comes.
    One(Identifier),
}

struct Watch {
    api: Api,
    watched: Watched,
    /// What was told last of each.
    told: HashMap<Identifier, String>,
    first: bool,
}

/// Answers with events `projection`, each of which is a projection as `GET` gives it: all at first, and then those that have
/// changed.
pub(super) fn respond(api: Api, watched: Watched) -> Response {
    let closing = api.closing.clone();
    let watch = Watch { api, watched, told: HashMap::new(), first: true };
    sse::respond(
        stream::unfold(watch, |mut watch| async {
            let news = watch.next().await;
            Some((news, watch))
        }),
        closing,
    )
}

impl Watch {
    async fn next(&mut self) -> Result<Vec<Event>, sqlx::Error> {
        if !std::mem::take(&mut self.first) {
            tokio::time::sleep(EVERY).await;
        }
        let projections = match &self.watched {
            Watched::All => self.api.operations.projections().await?,
            Watched::One(name) => self.api.operations.projection(name).await?.into_iter().collect(),
        };
        let mut news = Vec::new();
        for projection in projections {
            let name = projection.name.clone();
            let text = serde_json::to_string(&api::Projection::from(projection))
                .map_err(|error| sqlx::Error::Decode(error.into()))?;
            if self.told.get(&name) != Some(&text) {
                news.push(Event::default().event("projection").data(&text));
                self.told.insert(name, text);
            }
        }
        Ok(news)
    }
}

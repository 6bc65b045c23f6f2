//! `GET /openapi.json`

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use sha2::{Digest as _, Sha256};

use super::document::document;
use crate::{
    access::{Of, Scope},
    builds::ReadModelSummary,
    http::{
        caller::By,
        etag::{tag_of, with_tag},
        extract::NoParams,
        forwarded_prefix::ForwardedPrefix,
        problem::Problem,
        server_error::internal,
        state::Api,
    },
};

/// The document that was answered last, and what it was made of. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct DocumentCache(Arc<Mutex<Option<Cached>>>);

#[derive(Clone, Debug)]
struct Cached {
    made_of: [u8; 32],
    tag: String,
    document: Bytes,
}

/// The description of the API, with the tables of the builds that are active now.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    Extension(cache): Extension<DocumentCache>,
    By(caller): By,
    NoParams: NoParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut read_models = api.queries.read_models().await?;
    // Tables are for those who may read them.
    read_models.retain(|found| caller.may(&[Scope::ReadModels], Of::Name(found.projection.as_str())));
    cache.answer(&read_models, &headers)
}

impl DocumentCache {
    /// The answer with the document of these read models.
    pub(in crate::http) fn answer(
        &self,
        read_models: &[ReadModelSummary],
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let Cached { tag, document, .. } = self.get(read_models).map_err(|error| internal(&error))?;
        let mut response = with_tag(headers, &tag, "application/json", document);
        // Another build may become active at any time.
        response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
        Ok(response)
    }

    /// The document of these read models, from memory if it was made of the same.
    fn get(&self, read_models: &[ReadModelSummary]) -> Result<Cached, serde_json::Error> {
        let prefix = ForwardedPrefix::current();
        let made_of = hash(&prefix, read_models)?;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = last.as_ref().filter(|cached| cached.made_of == made_of) {
            return Ok(cached.clone());
        }
        let document = document(&prefix, read_models)?;
        let made = Cached { made_of, tag: tag_of(&document), document };
        *last = Some(made.clone());
        Ok(made)
    }
}

/// A hash of all that a document is made of, beside this program.
fn hash(prefix: &ForwardedPrefix, read_models: &[ReadModelSummary]) -> Result<[u8; 32], serde_json::Error> {
    let mut parts = vec![serde_json::to_vec(&prefix.path("/"))?];
    for read_model in read_models.iter().filter(|read_model| read_model.active.is_some()) {
        parts.push(serde_json::to_vec(read_model.projection.as_str())?);
        for table in &read_model.tables {
            parts.push(serde_json::to_vec(&table.table)?);
        }
    }
    Ok(Sha256::digest(parts.join(&b'\n')).into())
}

//! `GET /v1/modules/{name}/versions/{version}/wasm`

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::no_version;
use crate::{
    http::{
        extract::{NoParams, PathParams},
        problem::Problem,
        server_error::internal,
        state::Api,
    },
    modules::ModuleVersion,
    read_model::Identifier,
};

pub(in crate::http) async fn download(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, version)): PathParams<(Identifier, ModuleVersion)>,
) -> Result<Response, Problem> {
    let (digest, bytes) = api.modules.component(&name, version).await?.ok_or_else(|| no_version(&name, version))?;
    let etag = HeaderValue::from_str(&format!("\"{digest}\"")).map_err(|error| internal(&error))?;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/wasm"));
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

//! `PUT /v1/modules/{name}`

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use crate::{
    api,
    http::{
        body::read_body,
        extract::{Params, PathParams, is_media_type, unsupported},
        problem::Problem,
        state::Api,
    },
    operations::UploadOutcome,
    read_model::Identifier,
};

pub(in crate::http) async fn upload(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<api::Uploaded>), Problem> {
    if !is_media_type(&headers, "application/wasm") {
        return Err(unsupported(&headers, "application/wasm"));
    }
    let max = api.operations.max_module_bytes() as u64;
    let bytes = read_body(body, max, "max_module_bytes").await?;
    let UploadOutcome { uploaded, build, builds } = api.operations.upload(&name, bytes, query.activate.into()).await?;
    let status = if uploaded.new { StatusCode::CREATED } else { StatusCode::OK };
    let answer = api::Uploaded {
        name: name.into(),
        version: uploaded.version.0,
        digest: uploaded.digest.to_string(),
        kind: uploaded.descriptor.kind().into(),
        descriptor: uploaded.descriptor.into(),
        build: build.map(u64::from),
        builds: builds.map(|builds| builds.into_iter().map(Into::into).collect()),
    };
    Ok((status, Json(answer)))
}

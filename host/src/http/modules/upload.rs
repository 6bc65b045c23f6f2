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
    operations::{UploadEffect, UploadOutcome},
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
    let UploadOutcome { uploaded, effect } = if query.deploy {
        api.operations.upload(&name, bytes, query.activate.into()).await?
    } else {
        api.operations.store(&name, bytes).await?
    };
    let (build, builds) = match effect {
        UploadEffect::Deployed(build) => (Some(build.into()), None),
        UploadEffect::Activated(rebuilt) => (None, Some(rebuilt.into_iter().map(Into::into).collect())),
        UploadEffect::Stored => (None, None),
    };
    let status = if uploaded.new { StatusCode::CREATED } else { StatusCode::OK };
    let answer = api::Uploaded {
        name: name.into(),
        version: uploaded.version.0,
        digest: uploaded.digest.to_string(),
        kind: uploaded.descriptor.kind().into(),
        descriptor: uploaded.descriptor.into(),
        build,
        builds,
    };
    Ok((status, Json(answer)))
}

//! `PUT /v1/modules/{name}`

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use crate::{
    api,
    event_log::Position,
    http::{
        body::{discard, read_body},
        content_type::{is_media_type, unsupported},
        extract::{Params, PathParams},
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
    // From here to the answer: what is being read takes memory as well.
    let _place = match api.operations.upload_place() {
        Ok(place) => place,
        Err(error) => {
            discard(body).await;
            return Err(error.into());
        }
    };
    let max = api.operations.max_module_bytes() as u64;
    let bytes = read_body(body, max, "max_module_bytes", api.settings.work.body_timeout).await?;
    let UploadOutcome { uploaded, effect } = if query.deploy {
        let from = query.from.map(Position);
        api.operations.upload_from(&name, bytes, query.activate.into(), from).await?
    } else {
        api.operations.store(&name, bytes).await?
    };
    let (mut build, mut replaces, mut builds, mut reactor) = (None, None, None, None);
    match effect {
        UploadEffect::Deployed(rebuilt) => {
            (build, replaces) = (Some(rebuilt.build.into()), rebuilt.replaces.map(Into::into));
        }
        UploadEffect::Activated(rebuilt) => builds = Some(rebuilt.into_iter().map(Into::into).collect()),
        UploadEffect::Reacts(deployed) => reactor = Some(deployed.into()),
        UploadEffect::Stored => {}
    }
    let status = if uploaded.new { StatusCode::CREATED } else { StatusCode::OK };
    let answer = api::Uploaded {
        name: name.into(),
        version: uploaded.version.0,
        digest: uploaded.digest.to_string(),
        kind: uploaded.descriptor.kind().into(),
        descriptor: uploaded.descriptor.into(),
        build,
        replaces,
        builds,
        reactor,
    };
    Ok((status, Json(answer)))
}

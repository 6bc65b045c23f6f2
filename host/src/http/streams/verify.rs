//! `POST /v1/streams/{stream}/verify`

use axum::{Json, extract::State};

use crate::{
    api,
    event_log::StreamName,
    http::{
        convert,
        extract::{Params, PathParams},
        problem::Problem,
        state::Api,
    },
    modules::ModuleVersion,
    read_model::Identifier,
};

pub(in crate::http) async fn verify(
    State(api): State<Api>,
    PathParams(stream): PathParams<String>,
    Params(query): Params<api::VerifyStreamQuery>,
) -> Result<Json<api::StreamVerification>, Problem> {
    let stream = StreamName::new(stream)?;
    let projection = Identifier::new(query.projection)?;
    let version = query.version.map(ModuleVersion);
    let verification = api.past.verify(&api.log, &stream, &projection, version).await?;
    Ok(Json(convert::stream_verification(stream, verification)))
}

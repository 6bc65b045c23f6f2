//! `GET /metrics`: what the host measures, for Prometheus.

use axum::{
    Extension,
    http::header,
    response::{IntoResponse, Response},
};

use super::scrapes::Scrapes;
use crate::{http::extract::NoParams, metrics::MEDIA_TYPE};

/// All measures, as a text. It is answered whatever Postgres does: what cannot be read in time is left out, and said to be.
pub(in crate::http) async fn get(Extension(scrapes): Extension<Scrapes>, NoParams: NoParams) -> Response {
    let text = scrapes.text().await;
    ([(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

//! The routes of the HTTP API.

use std::any::Any;

use axum::{
    Extension, Router,
    extract::Request,
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use tower::util::MapRequest;
use tower_http::{catch_panic::CatchPanicLayer, normalize_path::NormalizePath};

use super::{
    admit::{Door, admit},
    cors, deployments,
    dialect::Dialect,
    docs, errors, events,
    forwarded_prefix::without_prefix,
    guard::Guard,
    health, metrics, modules, openapi, outbox, personal_data, postgrest,
    problem::{Code, Problem},
    projections, reactors,
    request_context::with_context,
    server_error::internal,
    sinks,
    state::Api,
    stats, streams, tokens, upcasters,
};

/// Every route, as a service. A router around it would put each request and its answer on the heap once more.
pub(super) type Routes = MapRequest<NormalizePath<Router>, fn(Request) -> Request>;

/// Every route, in a router.
pub fn router(api: Api) -> Router {
    Router::new().fallback_service(routes(api))
}

/// Every route.
pub(super) fn routes(api: Api) -> Routes {
    let cors_origins = api.settings.cors_origins.clone();
    let described = if api.tenant.is_some() { openapi::routes_of_tenant() } else { openapi::routes() };
    let guard = Guard::new(api.access.clone(), &described);
    let door = Door::new(api.settings.clone(), guard, api.operations.max_module_bytes());
    let routes = paths(metrics::Scrapes::new(api.clone(), door.clone()), stats::Measurements::new(api.clone()));
    // What is around all of them costs each request: what few need is around those.
    let mut routes = routes.layer(middleware::from_fn_with_state(door, admit)).layer(CatchPanicLayer::custom(panicked));
    if !cors_origins.is_empty() {
        routes = routes.layer(cors::layer(cors_origins));
    }
    // The outermost: what is logged below has the id of its request.
    let routes = routes.layer(middleware::from_fn(with_context)).with_state(api);
    // Around the routes, which are chosen by the path: with a slash at its end it is the same one.
    MapRequest::new(NormalizePath::trim_trailing_slash(routes), without_prefix as fn(Request) -> Request)
}

/// The paths. Each handler limits the body that it reads, and its error names the limit.
fn paths(scrapes: metrics::Scrapes, measurements: stats::Measurements) -> Router<Api> {
    Router::new()
        .route("/", get(health::index))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::get).layer(Extension(scrapes)))
        .route("/errors/{code}", get(errors::page))
        .route("/openapi.json", get(openapi::get).layer(Extension(openapi::DocumentCache::default())))
        .route("/docs", get(docs::page))
        .route("/docs/rapidoc.js", get(docs::script))
        .route("/docs/licence", get(docs::licence))
        .route("/v1/events", post(events::append).get(events::read))
        .route("/v1/events/query", post(events::query))
        .route("/v1/events/{position}/explanation", get(events::explain))
        .route("/v1/streams", get(streams::list))
        .route("/v1/streams/{stream}/events", post(streams::append).get(streams::read))
        .route("/v1/stats", get(stats::get).layer(Extension(measurements)))
        .route("/v1/streams/{stream}/state", get(streams::state))
        .route("/v1/streams/{stream}/history", get(streams::history))
        .route("/v1/streams/{stream}/verify", post(streams::verify))
        .route("/v1/modules", get(modules::list))
        .route("/v1/modules/{name}", put(modules::upload).get(modules::get))
        .route("/v1/modules/{name}/versions/{version}", get(modules::version))
        .route("/v1/modules/{name}/versions/{version}/wasm", get(modules::download))
        .route("/v1/deployments", post(deployments::deploy))
        .route("/v1/projections", get(projections::list))
        .route(
            "/v1/projections/{name}",
            get(projections::get).patch(projections::configure).delete(projections::delete),
        )
        .route("/v1/projections/{name}/rebuild", post(projections::rebuild))
        .route("/v1/projections/{name}/activate", post(projections::activate))
        .route("/v1/projections/{name}/rollback", post(projections::rollback))
        .route("/v1/projections/{name}/pause", post(projections::pause))
        .route("/v1/projections/{name}/resume", post(projections::resume))
        .route("/v1/projections/{name}/retry", post(projections::retry))
        .route("/v1/projections/{name}/compare", get(projections::compare))
        .route("/v1/projections/{name}/dead-letters", get(projections::dead_letters))
        .route("/v1/projections/{name}/history", get(projections::history))
        .route("/v1/projections/{name}/verify", post(projections::verify))
        .route(
            "/v1/projections/{name}/verify/{verification}",
            get(projections::verification).delete(projections::end_verification),
        )
        .route("/v1/projections/{name}/snapshots/verify", post(projections::verify_snapshots))
        .route("/v1/projections/{name}/builds/{build}", delete(projections::retire))
        .route("/v1/projections/{name}/past-builds", get(projections::past_builds))
        .route(
            "/v1/projections/{name}/past-builds/{past_build}",
            get(projections::past_build).delete(projections::retire_past),
        )
        .route("/v1/reactors", get(reactors::list))
        .route("/v1/reactors/{name}", get(reactors::get).patch(reactors::configure).delete(reactors::delete))
        .route("/v1/reactors/{name}/activate", post(reactors::activate))
        .route("/v1/reactors/{name}/pause", post(reactors::pause))
        .route("/v1/reactors/{name}/history", get(reactors::history))
        .route("/v1/reactors/{name}/resume", post(reactors::resume))
        .route("/v1/reactors/{name}/retry", post(reactors::retry))
        .route("/v1/reactors/{name}/rehearsal", get(reactors::rehearse))
        .route("/v1/reactors/{name}/dead-letters", get(reactors::dead_letters))
        .route("/v1/upcasters", get(upcasters::list))
        .route("/v1/upcasters/{name}/activate", post(upcasters::activate))
        .route("/v1/upcasters/{name}/deactivate", post(upcasters::deactivate))
        .route("/v1/sinks", get(sinks::list))
        .route("/v1/sinks/{sink}", put(sinks::put).get(sinks::get).delete(sinks::delete))
        .route("/v1/sinks/{sink}/history", get(sinks::history))
        .route("/v1/sinks/{sink}/retry", post(sinks::retry))
        .route("/v1/outbox", get(outbox::list))
        .route("/v1/outbox/{message}", get(outbox::get).delete(outbox::delete))
        .route("/v1/outbox/{message}/retry", post(outbox::retry))
        .route("/v1/personal-data", get(personal_data::list))
        .route("/v1/personal-data/{event_type}", put(personal_data::declare).delete(personal_data::remove))
        .route("/v1/forgettings", post(personal_data::forget))
        .route("/v1/forgettings/{forgetting}", get(personal_data::forgetting))
        .route("/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/v1/tokens/{token}", delete(tokens::revoke))
        .route("/v1/whoami", get(tokens::whoami))
        .route("/v1/read-models", get(postgrest::list).options(postgrest::list_options))
        .route("/v1/read-models/{projection}", get(postgrest::get).options(postgrest::list_options))
        .route("/v1/read-models/{projection}/{table}", get(postgrest::query).options(postgrest::table_options))
        .route("/v1/read-models/{projection}/{table}/query", post(postgrest::post_query))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
}

pub(super) async fn not_found(request: Request) -> Problem {
    let path = request.uri().path();
    match Dialect::current() {
        Dialect::Own => Problem::new(Code::NotFound, format!("there is nothing at {path}")),
        Dialect::Postgrest => postgrest::unknown_path(path),
    }
}

async fn method_not_allowed(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    match Dialect::current() {
        Dialect::Own => Problem::new(Code::MethodNotAllowed, format!("{path} does not take {method}")),
        Dialect::Postgrest => postgrest::unsupported_method(method),
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    internal(&format_args!("a handler panicked: {message}")).into_response()
}

//! Pages of other origins, as their browsers ask.

use super::*;

/// The API of a host that lets these origins read.
async fn allowing(origins: &[&str]) -> TestApi {
    let mut api = TestApi::start().await;
    let cors_origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    let settings = HttpSettings { cors_origins, ..HttpSettings::default() };
    api.router = router(api.host.api(settings, CancellationToken::new()));
    api
}

const PAGE: &str = "https://app.example";

/// What a browser sends before a request with headers that forms do not have.
fn preflight(path: &str, origin: &str, method: &str) -> Request<Body> {
    Request::options(path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,gnomon-min-position,prefer")
        .body(Body::empty())
        .unwrap()
}

fn request(method: &str, path: &str, origin: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header("origin", origin).body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_an_allowed_origin_may_read() {
    let api = allowing(&["http://localhost:5173", PAGE]).await;
    for path in ["/v1/read-models/bank/accounts?limit=1", "/v1/events", "/v1/projections", "/health/ready", "/"] {
        let answer = api.send(preflight(path, PAGE, "GET")).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, PAGE), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization,gnomon-min-position,prefer");
        assert!(answer.header("vary").contains("origin"), "{:?}", answer.headers);
        // Errors, too: a page that cannot read one only learns that the network failed.
        for method in ["GET", "HEAD"] {
            let answer = api.send(request(method, path, PAGE)).await;
            assert_eq!(answer.header("access-control-allow-origin"), PAGE, "{method} {path}");
            let exposed = answer.header("access-control-expose-headers");
            for name in [
                "gnomon-position",
                "gnomon-build",
                "gnomon-max-rows",
                "gnomon-next",
                "link",
                "content-range",
                "x-request-id",
                "retry-after",
            ] {
                assert!(exposed.contains(name), "{method} {path}: {exposed}");
            }
        }
    }
    let mut events = request("GET", "/v1/events", PAGE);
    events.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    let response = api.router.clone().oneshot(events).await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_may_change_anything() {
    let api = allowing(&["*"]).await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = api.send(preflight("/v1/projections/bank", PAGE, method)).await;
        assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD", "a browser does not send {method}");
        let answer = api.send(request(method, "/v1/projections/bank/rebuild", PAGE)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_may_not_read() {
    let api = allowing(&[PAGE]).await;
    for origin in ["https://app.example.evil", "http://app.example", "https://app.example:444", "null"] {
        for request in [preflight("/v1/events", origin, "GET"), request("GET", "/v1/events", origin)] {
            assert_eq!(api.send(request).await.header("access-control-allow-origin"), "", "{origin}");
        }
    }
    assert_eq!(
        allowing(&["*"]).await.send(request("GET", "/", "null")).await.header("access-control-allow-origin"),
        "null"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_no_page_may_read() {
    let api = TestApi::start().await;
    let answer = api.send(preflight("/v1/events", PAGE, "GET")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::METHOD_NOT_ALLOWED, ""));
    assert_eq!(api.send(request("GET", "/v1/events", PAGE)).await.header("access-control-allow-origin"), "");
}

//! Which tenant a request is for: the one of its path, `/t/acme/…`, of its header `Gnomon-Tenant`, or of its token, `acme.gnomon_…`.
//!
//! Nothing is decoded or put straight on the way: a name that is written in another way is another name, and so is nobody's.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header, uri::PathAndQuery};

use super::name::TenantName;
use crate::{access::TOKEN_PREFIX, http::forwarded_prefix::ForwardedPrefix};

/// What the path of a tenant begins with.
pub(super) const PATH: &str = "/t/";
/// The header that names a tenant.
pub(super) const HEADER: HeaderName = HeaderName::from_static("gnomon-tenant");
/// Characters of what a request has in the place of a name, at most: more are not shown.
const MAX_SHOWN: usize = 64;

/// The tenant that a request names, as it is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// There is none.
    Nobody,
    /// This one, which need not be there.
    Tenant(String),
}

/// The names of several tenants are in one request; which, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) String);

/// Takes what names the tenant out of a request: what is left is a request to a host that has one log. The request knows under which prefix its
/// client has made it.
///
/// # Errors
/// It names several.
pub(super) fn choose<B>(request: &mut Request<B>) -> Result<Choice, Ambiguous> {
    let of_proxy = ForwardedPrefix::of_header(request.headers());
    // A path that begins with a tenant is that tenant's, whatever a client says of a proxy. Else a proxy may have left its own prefix before it.
    if !request.uri().path().starts_with(PATH)
        && let Some(uri) = of_proxy.removed_from(request.uri())
    {
        *request.uri_mut() = uri;
    }
    let in_path = in_path(request.uri());
    let prefix = match &in_path {
        Some((name, _)) if name.parse::<TenantName>().is_ok() => of_proxy.with(&format!("{PATH}{name}")),
        _ => of_proxy,
    };
    request.extensions_mut().insert(prefix);
    let mut names = Vec::new();
    if let Some((name, rest)) = in_path {
        names.push(("the path", name));
        *request.uri_mut() = rest;
    }
    let in_headers = request.headers().get_all(HEADER).iter();
    names.extend(
        in_headers.map(|name| ("the header Gnomon-Tenant", String::from_utf8_lossy(name.as_bytes()).into_owned())),
    );
    names.extend(take_from_token(request.headers_mut()).map(|name| ("the token", name)));
    let Some((place, name)) = names.first() else { return Ok(Choice::Nobody) };
    if let Some((other_place, other)) = names.iter().find(|(_, other)| other != name) {
        let (name, other) = (shown(name), shown(other));
        return Err(Ambiguous(format!("{place} names the tenant `{name}`, and {other_place} `{other}`; name one")));
    }
    Ok(Choice::Tenant(name.clone()))
}

/// What stands in the place of a name, to be shown to who has sent it.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect()
}

/// The tenant of a path, and the URI without it.
fn in_path(uri: &Uri) -> Option<(String, Uri)> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(PATH)?;
    let (name, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Some((name.to_owned(), Uri::from_parts(parts).ok()?))
}

/// The tenant before a token, as in `acme.gnomon_…`, which is then the token alone. Other tokens have no such form: those of an issuer have no part
/// that begins like one of Gnomon's.
fn take_from_token(headers: &mut HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let (name, token) = token.trim().split_once('.')?;
    if !scheme.eq_ignore_ascii_case("bearer") || !token.starts_with(TOKEN_PREFIX) || name.parse::<TenantName>().is_err()
    {
        return None;
    }
    // Of several such headers none is taken; that there are several, the guard says.
    if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
        return None;
    }
    let name = name.to_owned();
    let mut bare = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    bare.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, bare);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::builder().uri(uri);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
    }

    /// The tenant of a request, what is left of its path, and how the client reaches `/x`.
    fn chosen(uri: &str, headers: &[(&str, &str)]) -> (Choice, String, String) {
        let mut request = request(uri, headers);
        let choice = choose(&mut request).unwrap();
        let prefix = request.extensions().get::<ForwardedPrefix>().unwrap().path("/x");
        (choice, request.uri().to_string(), prefix)
    }

    fn tenant(name: &str) -> Choice {
        Choice::Tenant(name.to_owned())
    }

    #[test]
    fn the_first_part_of_the_path_is_the_tenant_and_the_rest_stays_as_it_is() {
        for (uri, name, rest) in [
            ("/t/acme/v1/events?after=1", "acme", "/v1/events?after=1"),
            ("/t/acme/v1/streams/a%2F..%2Fb/events", "acme", "/v1/streams/a%2F..%2Fb/events"),
            ("/t/acme", "acme", "/"),
            ("/t/acme/", "acme", "/"),
            ("/t/acme?a=/t/b/", "acme", "/?a=/t/b/"),
            // What leads out of a tenant by the rules of a file system leads nowhere.
            ("/t/acme/../beta/v1/events", "acme", "/../beta/v1/events"),
            ("/t/acme/t/beta/v1/events", "acme", "/t/beta/v1/events"),
            ("/t/acme//v1/events", "acme", "//v1/events"),
            ("http://h:7070/t/acme/v1/events", "acme", "http://h:7070/v1/events"),
        ] {
            assert_eq!(chosen(uri, &[]), (tenant(name), rest.to_owned(), "/t/acme/x".to_owned()), "{uri}");
        }
    }

    #[test]
    fn a_name_that_is_written_in_another_way_is_another_one() {
        for (uri, name) in [
            ("/t/ac%6De/v1/events", "ac%6De"),
            ("/t/ACME/v1/events", "ACME"),
            ("/t/../v1/events", ".."),
            ("/t/%2e%2e/v1/events", "%2e%2e"),
            ("/t//acme/v1/events", ""),
            ("/t/acme%2Fv1/events", "acme%2Fv1"),
        ] {
            let (choice, _, prefix) = chosen(uri, &[]);
            assert_eq!((choice, prefix.as_str()), (tenant(name), "/x"), "{uri}");
            assert!(name.parse::<TenantName>().is_err());
        }
        for uri in ["/", "/t", "/v1/t/acme", "//t/acme/v1/events", "/T/acme/v1", "/tx/acme", "/%74/acme/v1"] {
            assert_eq!(chosen(uri, &[]), (Choice::Nobody, uri.to_owned(), "/x".to_owned()), "{uri}");
        }
        assert_eq!(chosen("*", &[]).0, Choice::Nobody);
    }

    #[test]
    fn a_header_names_it_as_well() {
        let events = "/v1/events";
        assert_eq!(chosen(events, &[("gnomon-tenant", "acme")]), (tenant("acme"), events.into(), "/x".into()));
        let both = [("Gnomon-Tenant", "acme"), ("Gnomon-Tenant", "acme")];
        assert_eq!(chosen("/t/acme/v1/events", &both), (tenant("acme"), events.into(), "/t/acme/x".into()));
        assert_eq!(chosen(events, &[("gnomon-tenant", "")]).0, tenant(""));
        assert_eq!(chosen(events, &[("gnomon-tenant", "Acme")]).0, tenant("Acme"));
    }

    #[test]
    fn a_token_names_it_as_well_and_is_then_the_token_alone() {
        let mut named = request("/v1/events", &[("authorization", "bearer acme.gnomon_a.b")]);
        assert_eq!(choose(&mut named).unwrap(), tenant("acme"));
        assert_eq!(named.headers()[header::AUTHORIZATION], "Bearer gnomon_a.b");
        for other in [
            "Bearer gnomon_abc",
            "Bearer eyJh.eyJz.c2ln",
            "Bearer ACME.gnomon_a",
            "Basic acme.gnomon_a",
            "Bearer .gnomon_a",
        ] {
            let mut plain = request("/v1/events", &[("authorization", other)]);
            assert_eq!(choose(&mut plain).unwrap(), Choice::Nobody, "{other}");
            assert_eq!(plain.headers()[header::AUTHORIZATION], *other);
        }
        let twice = [("authorization", "Bearer acme.gnomon_a"), ("authorization", "Bearer acme.gnomon_a")];
        assert_eq!(chosen("/v1/events", &twice).0, Choice::Nobody);
    }

    #[test]
    fn two_names_are_refused_whichever_they_are() {
        for (uri, headers) in [
            ("/t/acme/v1/events", &[("gnomon-tenant", "beta")][..]),
            ("/v1/events", &[("gnomon-tenant", "beta"), ("gnomon-tenant", "acme")]),
            ("/t/acme/v1/events", &[("authorization", "Bearer beta.gnomon_a")]),
            ("/v1/events", &[("gnomon-tenant", "acme"), ("authorization", "Bearer beta.gnomon_a")]),
        ] {
            let Ambiguous(detail) = choose(&mut request(uri, headers)).unwrap_err();
            assert!(detail.contains("`acme`") && detail.contains("`beta`"), "{detail}");
        }
    }

    #[test]
    fn the_prefix_of_a_proxy_stands_before_that_of_the_tenant() {
        let proxy = [("x-forwarded-prefix", "/sub")];
        for uri in ["/sub/t/acme/v1/events", "/t/acme/v1/events"] {
            let expected = (tenant("acme"), "/v1/events".to_owned(), "/sub/t/acme/x".to_owned());
            assert_eq!(chosen(uri, &proxy), expected, "{uri}");
        }
        assert_eq!(chosen("/sub/health/live", &proxy), (Choice::Nobody, "/health/live".into(), "/sub/x".into()));
        // Who is let in to one tenant by a proxy does not come to another one by what a client can say.
        let said = [("x-forwarded-prefix", "/t/acme")];
        let (choice, rest, _) = chosen("/t/acme/t/beta/v1/events", &said);
        assert_eq!((choice, rest.as_str()), (tenant("acme"), "/t/beta/v1/events"));
    }
}

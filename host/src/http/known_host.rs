//! What a page in a browser of somebody else may make that browser ask of this host: nothing that changes anything, and nothing under a name
//! that is not the host's.
//!
//! A host on loopback is reached by every page that a user of that machine opens. Such a page can send requests, though it may not read the
//! answers; if it is served from a name that its owner then lets mean 127.0.0.1 (DNS rebinding), the browser takes the host for the page's
//! own, and lets it read, too. Browsers say where a request comes from (`Origin`, `Sec-Fetch-Site`) and which name they ask (`Host`), and
//! no page can change what they say. What is not a browser sends neither of the first two.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, Method, Request, Uri, header};

use super::problem::{Code, Problem};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// A name by which clients may call the host: `gnomon.example`, or `*` for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost(String);

/// Why a text is not the name of a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a host: write it without scheme, port and path, such as gnomon.example, or * for each"
)]
pub struct AllowedHostError(String);

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, AllowedHostError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_name || text == "*" {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(AllowedHostError(text.to_owned()))
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses a request that asks for a host of another name. A request without a name comes from no browser.
pub(super) fn check_host<B>(request: &Request<B>, allowed: &[AllowedHost]) -> Result<(), Problem> {
    let header = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or("?"));
    for authority in header.into_iter().chain(request.uri().authority().map(|authority| authority.as_str())) {
        let name = without_port(authority);
        if !is_known(name, allowed) {
            let detail = format!(
                "this host is asked for as `{name}`, which is no name that it knows; start it with --allowed-host {name} \
                 (GNOMON_ALLOWED_HOST) if clients may call it so, or call it by its address"
            );
            return Err(Problem::new(Code::HostNotAllowed, detail).with("host", name));
        }
    }
    Ok(())
}

/// Refuses a request that changes something, if a page of another origin has made its browser send it.
pub(super) fn check_origin<B>(request: &Request<B>, allowed: &[AllowedHost]) -> Result<(), Problem> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return Ok(());
    }
    let headers = request.headers();
    let asked = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    // HTTP/2 has no header for it.
    let asked = asked.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let site = headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes());
    let foreign = match site {
        Some(b"same-origin" | b"none") => None,
        Some(site) => Some(format!("Sec-Fetch-Site is `{}`", String::from_utf8_lossy(site))),
        // Browsers leave it out for what they do not trust, such as http://192.0.2.7:7070, and old ones do not have it.
        None => foreign_origin(headers, asked, allowed),
    };
    let Some(why) = foreign else { return Ok(()) };
    let detail = format!(
        "a page of another origin may not change anything ({why}). Let the page ask a server of its own origin, which asks this host; \
         a proxy in front of both makes their origin one"
    );
    Err(Problem::new(Code::OriginNotAllowed, detail))
}

/// The origin, if it is neither that of the address that is asked nor of an allowed name.
fn foreign_origin(headers: &HeaderMap, asked: Option<&str>, allowed: &[AllowedHost]) -> Option<String> {
    let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or("?");
    let of_page = origin.parse::<Uri>().ok().and_then(|uri| uri.into_parts().authority);
    let own = of_page.is_some_and(|of_page| {
        asked.is_some_and(|asked| asked.eq_ignore_ascii_case(of_page.as_str()))
            // A proxy mostly asks under a name of its own. The origin of the page is then the name that clients use.
            || allowed.iter().any(|allowed| allowed.0 != "*" && allowed.0.eq_ignore_ascii_case(of_page.host()))
    });
    (!own).then(|| format!("Origin is `{origin}`"))
}

fn is_known(name: &str, allowed: &[AllowedHost]) -> bool {
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if address.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    // RFC 6761: names below localhost are this machine.
    let below = |known: &str| {
        name.len()
            .checked_sub(known.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(known))
    };
    is("localhost") || below(".localhost") || allowed.iter().any(|allowed| allowed.0 == "*" || is(&allowed.0))
}

/// `a.example` of `a.example:80`, `[::1]` of `[::1]:80`.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(names: &[&str]) -> Vec<AllowedHost> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn asked(method: Method, headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::builder().method(method).uri("/v1/events");
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
    }

    #[test]
    fn addresses_localhost_and_allowed_names_are_known() {
        let allowed = allowed(&["Gnomon.example.", "db_1"]);
        for (host, known) in [
            ("127.0.0.1:7070", true),
            ("127.0.0.1", true),
            ("192.0.2.7:80", true),
            ("[::1]:7070", true),
            ("[::1]", true),
            ("localhost", true),
            ("LocalHost:7070", true),
            ("localhost.", true),
            ("app.localhost:7070", true),
            ("gnomon.example", true),
            ("GNOMON.example.:443", true),
            ("db_1:7070", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("evillocalhost", false),
            ("127.0.0.1.evil.example:7070", false),
            ("x.gnomon.example", false),
            ("gnomon", false),
            ("", false),
            ("é:7070", false),
        ] {
            let found = check_host(&asked(Method::GET, &[("host", host)]), &allowed);
            assert_eq!(found.is_ok(), known, "{host}: {found:?}");
        }
        assert!(check_host(&asked(Method::GET, &[]), &allowed).is_ok());
        assert!(check_host(&asked(Method::GET, &[("host", "any.example")]), &self::allowed(&["*"])).is_ok());
        // The name may be in the request's target as well.
        let target = Request::get("http://evil.example/v1/events").header("host", "localhost").body(()).unwrap();
        assert!(check_host(&target, &allowed).is_err());
    }

    #[test]
    fn only_pages_of_the_hosts_own_origin_change_something() {
        let allowed = allowed(&["gnomon.example"]);
        let local = ("host", "127.0.0.1:7070");
        for (headers, may) in [
            (vec![local], true),
            (vec![local, ("origin", "http://127.0.0.1:7070")], true),
            (vec![local, ("origin", "https://gnomon.example")], true),
            (vec![local, ("origin", "https://x.example"), ("sec-fetch-site", "same-origin")], true),
            (vec![local, ("sec-fetch-site", "none")], true),
            (vec![local, ("origin", "http://127.0.0.1:7071")], false),
            (vec![local, ("origin", "http://localhost:7070")], false),
            (vec![local, ("origin", "https://evil.example")], false),
            (vec![local, ("origin", "null")], false),
            (vec![("origin", "https://evil.example")], false),
            (vec![local, ("origin", "http://127.0.0.1:7070"), ("sec-fetch-site", "cross-site")], false),
            (vec![local, ("sec-fetch-site", "same-site")], false),
            (vec![local, ("sec-fetch-site", "cross-site")], false),
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(
                    check_origin(&asked(method.clone(), &headers), &allowed).is_ok(),
                    may,
                    "{method} {headers:?}"
                );
            }
            assert!(check_origin(&asked(Method::GET, &headers), &allowed).is_ok(), "{headers:?}");
        }
        let any = self::allowed(&["*"]);
        assert!(check_origin(&asked(Method::POST, &[local, ("origin", "https://evil.example")]), &any).is_err());
    }

    #[test]
    fn the_name_of_a_host_has_neither_scheme_nor_port() {
        for text in ["gnomon.example", "gnomon", "*", "a-b.c_d"] {
            assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), text);
        }
        for text in ["", ".", "https://gnomon.example", "gnomon.example:7070", "gnomon/", "*.example", "[::1]", "a b"] {
            let error = text.parse::<AllowedHost>().unwrap_err().to_string();
            assert!(error.contains("such as gnomon.example"), "{error}");
        }
    }
}

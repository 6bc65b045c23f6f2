//! URLs by which an issuer is known and asked.

use std::{fmt, net::IpAddr};

use reqwest::Url;

/// A URL of an issuer: https, or http on this machine. Whoever can change what comes from it can make tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl {
    /// As it was written: issuers are compared as texts.
    text: String,
    url: Url,
}

/// Why a text is not such a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerUrlError {
    /// It is no URL.
    #[error("that is not a URL ({0}); give one such as https://login.example/realms/main")]
    NotOne(String),
    /// Others could change what comes from it.
    #[error(
        "it begins with neither https:// nor http://127.0.0.1: whoever can change what comes from it can make tokens"
    )]
    Insecure,
    /// It has a password.
    #[error("a user and a password have no place in it: URLs are shown")]
    Password,
    /// It has more than a place.
    #[error("the URL of an issuer has neither `?` nor `#`")]
    Query,
}

impl IssuerUrl {
    /// Reads the URL of keys.
    ///
    /// # Errors
    /// See [`IssuerUrlError`].
    pub fn new(text: &str) -> Result<Self, IssuerUrlError> {
        let url = Url::parse(text).map_err(|error| IssuerUrlError::NotOne(error.to_string()))?;
        if !(url.scheme() == "https" || url.scheme() == "http" && is_local(&url)) {
            return Err(IssuerUrlError::Insecure);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(IssuerUrlError::Password);
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// Reads the URL of an issuer, which RFC 8414 has without a query.
    ///
    /// # Errors
    /// See [`IssuerUrlError`].
    pub fn of_issuer(text: &str) -> Result<Self, IssuerUrlError> {
        let issuer = Self::new(text)?;
        let has_more = issuer.url.query().is_some() || issuer.url.fragment().is_some();
        if has_more { Err(IssuerUrlError::Query) } else { Ok(issuer) }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Where the issuer says where its keys are.
    pub(super) fn discovery(&self) -> Url {
        let mut url = self.url.clone();
        // It only fails for URLs without a host.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([".well-known", "openid-configuration"]);
        }
        url
    }

    /// Whether it is on this machine.
    pub(super) fn is_local(&self) -> bool {
        is_local(&self.url)
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_comes_by_tls() {
        for text in ["https://login.example", "http://127.0.0.1:8080/realms/main", "http://[::1]:1", "http://localhost"]
        {
            assert_eq!(IssuerUrl::of_issuer(text).unwrap().as_str(), text);
        }
        let refused = |text: &str| IssuerUrl::of_issuer(text).unwrap_err();
        for text in
            ["http://login.example", "http://10.0.0.1", "http://127.0.0.1.example", "ftp://127.0.0.1", "file:///keys"]
        {
            assert_eq!(refused(text), IssuerUrlError::Insecure, "{text}");
        }
        assert_eq!(refused("https://ada:secret@login.example"), IssuerUrlError::Password);
        assert_eq!(refused("https://login.example/?a=b"), IssuerUrlError::Query);
        assert_eq!(refused("https://login.example/#a"), IssuerUrlError::Query);
        assert!(matches!(refused("login.example"), IssuerUrlError::NotOne(_)));
        // Keys may have one: Entra's of external users do.
        assert!(IssuerUrl::new("https://login.example/keys?p=policy").is_ok());
    }

    #[test]
    fn an_issuer_is_asked_below_its_own_path() {
        let discovery = |text| IssuerUrl::of_issuer(text).unwrap().discovery().to_string();
        assert_eq!(discovery("https://a.example"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(discovery("https://a.example/"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(discovery("https://a.example/b/c"), "https://a.example/b/c/.well-known/openid-configuration");
        assert_eq!(discovery("https://a.example/b/"), "https://a.example/b/.well-known/openid-configuration");
    }
}

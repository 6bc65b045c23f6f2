//! Where answers of read models are kept.

use std::ffi::OsStr;

use clap::{
    Arg, Args, Command,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};

use super::range::between;
use crate::queries::{CacheSettings, CacheUrl, CacheUrlError};

/// Where answers of read models are kept.
#[derive(Args, Clone, Debug)]
pub(super) struct CacheOptions {
    /// Maximum bytes of answers of read models that the host keeps in memory; 0 keeps none
    #[arg(long, env = "GNOMON_CACHE_BYTES", value_name = "BYTES", default_value_t = CacheSettings::default().cache_bytes,
        value_parser = between::<usize>(0, 1 << 40))]
    cache_bytes: usize,

    /// Redis in which hosts share answers of read models, as redis://user:password@host:port/database, or rediss:// with TLS; without it,
    /// each host has its own
    #[arg(long, env = "GNOMON_CACHE_URL", hide_env_values = true, value_name = "URL", value_parser = UrlParser)]
    cache_url: Option<CacheUrl>,
}

impl CacheOptions {
    pub(super) fn settings(&self) -> CacheSettings {
        CacheSettings { cache_bytes: self.cache_bytes, cache_url: self.cache_url.clone() }
    }
}

/// Reads a URL. clap's own error repeats the value, which may have a password in it.
#[derive(Clone, Debug)]
struct UrlParser;

impl TypedValueParser for UrlParser {
    type Value = CacheUrl;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<CacheUrl, Error> {
        let url = value.to_str().ok_or(CacheUrlError).and_then(str::parse);
        url.map_err(|error: CacheUrlError| {
            command.clone().error(ErrorKind::ValueValidation, format!("invalid value for '--cache-url <URL>': {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn command() -> Command {
        CacheOptions::augment_args(Command::new("serve")).mut_args(|argument| argument.env(None))
    }

    #[test]
    fn options_of_the_cache_reach_its_settings_and_a_url_is_never_shown() {
        let given = ["serve", "--cache-bytes=17", "--cache-url=rediss://u:secret@h/1"];
        let options = CacheOptions::from_arg_matches(&command().get_matches_from(given)).unwrap();
        assert_eq!(
            format!("{:?}", options.settings()),
            "CacheSettings { cache_bytes: 17, cache_url: Some(CacheUrl(…)) }"
        );
        for url in ["secret", "http://u:secret@h", "redis://u:secret@h/secret"] {
            let refused = command().try_get_matches_from(["serve", "--cache-url", url]).unwrap_err().to_string();
            assert!(refused.contains("invalid value for '--cache-url <URL>': the URL of a Redis is"), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}

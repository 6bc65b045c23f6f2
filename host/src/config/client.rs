//! The host that a command talks to.

use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

use clap::Args;

use super::{client_token::ClientToken, client_token_error::ClientTokenError, logins::Logins, tenant::TenantOption};

/// The variable that has the token itself.
const TOKEN: &str = "GNOMON_TOKEN";
/// A file with more bytes has no token in it.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// The host that a command talks to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// URL of the host
    #[arg(long, env = "GNOMON_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    pub url: String,

    /// The tenant of the host.
    #[command(flatten)]
    pub tenant: TenantOption,

    /// File with the token for the host. The variable GNOMON_TOKEN has the token itself, and comes first; no option takes it, since other users of
    /// the machine see the options of a command
    #[arg(long, env = "GNOMON_TOKEN_FILE", value_name = "FILE", hide_short_help = true)]
    pub token_file: Option<PathBuf>,

    /// Whom the command trusts.
    #[command(flatten)]
    pub trust: TrustOptions,
}

/// Whom a command trusts.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustOptions {
    /// PEM file with certificates of authorities that are trusted beside those of the system, for a host at https://
    #[arg(long, env = "GNOMON_CA_FILE", value_name = "FILE", hide_short_help = true)]
    pub ca_file: Option<PathBuf>,
}

impl ClientOptions {
    /// The token for the host: that of the variable, or of the file, or the one that `gnomon login` has kept.
    ///
    /// # Errors
    /// There is none in them, or the file cannot be read.
    pub fn token(&self) -> Result<Option<ClientToken>, ClientTokenError> {
        if let Some(token) = std::env::var_os(TOKEN).filter(|token| !token.is_empty()) {
            let token = token.to_str().and_then(ClientToken::read);
            return token.map(Some).ok_or_else(|| ClientTokenError::NotOne { place: TOKEN.to_owned() });
        }
        let Some(path) = &self.token_file else { return self.login() };
        let read = || -> io::Result<String> {
            let mut text = String::new();
            File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
            Ok(text)
        };
        let text = read().map_err(|error| ClientTokenError::File { path: path.clone(), error })?;
        let token = ClientToken::read(text.trim());
        token.map(Some).ok_or_else(|| ClientTokenError::NotOne { place: path.display().to_string() })
    }

    /// The token that `gnomon login` has kept for the host.
    fn login(&self) -> Result<Option<ClientToken>, ClientTokenError> {
        // Who has no home has not logged in.
        let Ok(path) = Logins::path() else { return Ok(None) };
        Ok(Logins::read(&path)?.get(&self.place()))
    }

    /// The URL of the host, or of the tenant of it.
    #[must_use]
    pub fn place(&self) -> String {
        self.tenant.at(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_has_a_token_and_perhaps_the_end_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let options = ClientOptions {
            url: String::new(),
            tenant: TenantOption::default(),
            token_file: Some(path.clone()),
            trust: TrustOptions::default(),
        };
        let missing = options.token().unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the token in ") && missing.contains("No such file"), "{missing}");
        fs::write(&path, "gnomon_abc\n").unwrap();
        assert_eq!(options.token().unwrap().unwrap().reveal(), "gnomon_abc");
        for text in ["", "\n", "two words", "é"] {
            fs::write(&path, text).unwrap();
            let error = options.token().unwrap_err().to_string();
            assert!(error.contains("has no token in it"), "{error}");
        }
    }
}

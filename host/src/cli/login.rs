//! `gnomon login` and `gnomon logout`

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use clap::Args;
use ratatui::crossterm::{
    event::{Event, KeyCode, KeyEventKind, KeyModifiers, read},
    terminal::{disable_raw_mode, enable_raw_mode},
};

use super::{client::Client, output::say};
use crate::{
    api::Whoami,
    config::{ClientToken, Logins, TenantOption, TrustOptions},
};

/// Bytes of a token, at most.
const MAX_TOKEN_BYTES: u64 = 16 * 1024;

/// Keep the token for a host, so that commands send it from now on.
///
/// The token is read from stdin; at a terminal it is asked for, and not shown. The host has to take it. It is kept in ~/.config/gnomon/logins.json, which
/// only you can read. The variables GNOMON_TOKEN and GNOMON_TOKEN_FILE come first.
#[derive(Args, Debug)]
pub(super) struct Login {
    /// URL of the host
    #[arg(long, env = "GNOMON_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    url: String,

    #[command(flatten)]
    tenant: TenantOption,

    #[command(flatten)]
    trust: TrustOptions,
}

/// Forget the token that `gnomon login` has kept for a host. It stays valid; `gnomon tokens revoke` ends it.
#[derive(Args, Debug)]
pub(super) struct Logout {
    /// URL of the host
    #[arg(long, env = "GNOMON_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    url: String,

    #[command(flatten)]
    tenant: TenantOption,
}

impl Login {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (path, url) = (Logins::path()?, self.tenant.at(&self.url));
        // What cannot be kept is not asked for.
        let logins = Logins::read(&path)?;
        let typed = tokio::task::spawn_blocking(read_token).await??;
        let Some(token) = ClientToken::read(typed.trim()) else {
            bail!("that is not a token: one has visible characters without blanks, such as gnomon_…")
        };
        let client = Client::with(&url, Some(&token), &self.trust)?;
        let Whoami { who, scopes, expires_in_seconds } = client.json(client.get(&["v1", "whoami"])).await?;
        if who == "anyone" {
            bail!("{} asks nobody who they are, so it needs no token", client.name());
        }
        logins.keep(&path, &url, &token)?;
        let scopes = if scopes.is_empty() { "nothing".to_owned() } else { scopes.join(" ") };
        // Tokens live for days, and JWTs for minutes.
        let end = match expires_in_seconds {
            Some(left) if left < 2 * 3600 => format!("; it expires in {} minutes", left / 60),
            Some(left) => format!("; it expires in {} hours", left / 3600),
            None => String::new(),
        };
        say(format_args!("you are {who} at {}, and may {scopes}{end}", client.name()));
        Ok(())
    }
}

impl Logout {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (path, url) = (Logins::path()?, self.tenant.at(&self.url));
        if Logins::read(&path)?.forget(&path, &url)? {
            say(format_args!("the token for {url} is forgotten"));
            return Ok(());
        }
        bail!("there is no token for {url}")
    }
}

/// The token: what stdin has, or what is typed or pasted at a terminal, unseen.
fn read_token() -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let mut text = String::new();
        io::stdin()
            .lock()
            .take(MAX_TOKEN_BYTES)
            .read_to_string(&mut text)
            .context("cannot read the token from stdin")?;
        return Ok(text);
    }
    say("Token (it is not shown):");
    enable_raw_mode().context("the terminal cannot hide the token; give it on stdin")?;
    let typed = read_unseen();
    disable_raw_mode()?;
    typed
}

fn read_unseen() -> anyhow::Result<String> {
    let mut typed = String::new();
    loop {
        match read()? {
            Event::Paste(text) => typed.push_str(&text),
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => return Ok(typed),
                KeyCode::Backspace => _ = typed.pop(),
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    bail!("no token was given")
                }
                KeyCode::Char(character) => typed.push(character),
                _ => {}
            },
            _ => {}
        }
        if typed.len() as u64 > MAX_TOKEN_BYTES {
            bail!("that is longer than any token");
        }
    }
}

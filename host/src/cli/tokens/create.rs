//! Making a token.

use clap::Args;
use reqwest::Method;

use super::{
    lifetime::Lifetime,
    place::{Opened, Place, PlaceOptions},
};
use crate::{
    access::{Grants, NewToken, TokenName},
    api::{self, CreatedToken},
    cli::output::{self, say},
};

/// Make a token. It is printed once, and is nowhere else: hosts keep a hash of it.
#[derive(Args, Debug)]
pub(super) struct Create {
    /// Its name, by which the log and the history tell who did something
    name: String,

    /// What it may do: append, read:events, read:models, deploy, operate or admin; all but admin may be limited to names, as in append=account,order*;
    /// repeatable
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,

    /// For how long it is valid, such as 12h, 90d or 52w
    #[arg(long, value_name = "TIME", default_value = "90d", conflicts_with = "never_expires")]
    expires_in: Lifetime,

    /// Make a token that is valid until it is revoked
    #[arg(long)]
    never_expires: bool,

    /// Print the token and what is known of it as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: PlaceOptions,
}

impl Create {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let created = match self.place.open().await? {
            Place::Host(client) => {
                let wanted = api::NewToken {
                    name: self.name,
                    scopes: self.scopes,
                    expires_in_seconds: (!self.never_expires).then_some(self.expires_in.0.as_secs()),
                };
                client.json(client.request(Method::POST, &["v1", "tokens"]).json(&wanted)).await?
            }
            Place::Database(opened) => {
                let created = self.create(&opened).await;
                opened.close(created).await?
            }
        };
        let CreatedToken { secret, token } = &created;
        if self.json {
            output::json(&created)?;
        } else {
            output::data(secret)?;
        }
        let end = match token.expires_at {
            Some(at) => format!("it expires at {at}"),
            None => "it does not expire".to_owned(),
        };
        say(format_args!("token `{}` may {}; {end}. It is shown this once", token.name, token.scopes.join(" ")));
        Ok(())
    }

    async fn create(&self, opened: &Opened) -> anyhow::Result<CreatedToken> {
        let new = NewToken {
            name: TokenName::new(self.name.clone())?,
            grants: Grants::parse(self.scopes.iter().map(String::as_str))?,
            lifetime: (!self.never_expires).then_some(self.expires_in.0),
            created_by: opened.who.clone(),
        };
        let (token, secret) = opened.tokens.create(&new).await?;
        Ok(CreatedToken { secret: secret.reveal().to_owned(), token: token.into() })
    }
}

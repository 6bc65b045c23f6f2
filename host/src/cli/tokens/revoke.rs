//! Revoking a token.

use clap::Args;
use reqwest::Method;

use super::place::{Place, PlaceOptions};
use crate::{access::TokenName, cli::output::say};

/// Revoke a token. Within five seconds no host takes it any more.
#[derive(Args, Debug)]
pub(super) struct Revoke {
    /// Its name
    name: String,

    #[command(flatten)]
    place: PlaceOptions,
}

impl Revoke {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.place.open().await? {
            Place::Host(client) => {
                client.send(client.request(Method::DELETE, &["v1", "tokens", &self.name])).await?;
            }
            Place::Database(opened) => {
                let revoked = match TokenName::new(self.name.clone()) {
                    Ok(name) => opened.tokens.revoke(&name, &opened.who).await.map_err(Into::into),
                    Err(error) => Err(error.into()),
                };
                opened.close(revoked).await?;
            }
        }
        say(format_args!("token `{}` is revoked", self.name));
        Ok(())
    }
}

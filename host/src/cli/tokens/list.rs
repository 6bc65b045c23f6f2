//! Listing the tokens.

use clap::Args;
use comfy_table::Table;

use super::place::{Place, PlaceOptions};
use crate::{
    api::{Token, Tokens, TokensQuery},
    cli::output,
};

#[derive(Args, Debug)]
pub(super) struct List {
    /// List those that were revoked in the last 90 days as well
    #[arg(long)]
    revoked: bool,

    /// Print the tokens as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: PlaceOptions,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let listed: Tokens = match self.place.open().await? {
            Place::Host(client) => {
                client.json(client.get(&["v1", "tokens"]).query(&TokensQuery { revoked: self.revoked })).await?
            }
            Place::Database(opened) => {
                let listed = opened.tokens.list(self.revoked).await.map_err(Into::into);
                let listed = opened.close(listed).await?;
                Tokens { tokens: listed.into_iter().map(Into::into).collect() }
            }
        };
        if self.json {
            output::json(&listed)?;
            return Ok(());
        }
        if listed.tokens.is_empty() {
            output::say("there are no tokens; `gnomon tokens create` makes one");
            return Ok(());
        }
        output::print_table(&table(&listed.tokens))?;
        Ok(())
    }
}

fn table(tokens: &[Token]) -> Table {
    let mut table = output::table(&["TOKEN", "SCOPES", "STATE", "EXPIRES", "LAST USED", "MADE BY"]);
    for token in tokens {
        let state = match (token.revoked_at, token.expired) {
            (Some(at), _) => format!("revoked {at}"),
            (None, true) => "expired".to_owned(),
            (None, false) => "valid".to_owned(),
        };
        table.add_row([
            token.name.clone(),
            token.scopes.join(" "),
            state,
            token.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
            token.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
            token.created_by.clone(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_a_line() {
        let answer: Tokens = serde_json::from_str(
            r#"{"tokens": [
                {"name": "root", "scopes": ["admin"], "created_at": "2026-01-01T10:17:00Z", "created_by": "gnomon tokens, user ada", "expires_at": null,
                 "expired": false, "last_used_at": "2026-02-01T10:17:00Z", "revoked_at": null, "revoked_by": null},
                {"name": "shop", "scopes": ["append=order", "read:models"], "created_at": "2026-01-01T10:17:00Z", "created_by": "token root",
                 "expires_at": "2026-01-02T10:17:00Z", "expired": true, "last_used_at": null, "revoked_at": null, "revoked_by": null}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(table(&answer.tokens).trim_fmt(), @r"
        TOKEN  SCOPES                    STATE    EXPIRES               LAST USED             MADE BY
        root   admin                     valid    never                 2026-02-01T10:17:00Z  gnomon tokens, user ada
        shop   append=order read:models  expired  2026-01-02T10:17:00Z  never                 token root
        ");
    }
}

//! Listing what is declared as personal data.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{PersonalDataType, PersonalDataTypes},
    cli::{client::Client, output},
    config::ClientOptions,
};

#[derive(Args, Debug)]
pub(super) struct List {
    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let body = client.text(client.get(&["v1", "personal-data"])).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let answer: PersonalDataTypes = client.parse(&body)?;
        if answer.types.is_empty() {
            output::say("nothing is declared as personal data; `gnomon personal-data set` declares it");
            return Ok(());
        }
        output::print_table(&table(&answer.types))?;
        Ok(())
    }
}

fn table(types: &[PersonalDataType]) -> Table {
    let mut table = output::table(&["TYPE", "SUBJECT", "FIELDS", "FORGOTTEN", "#SINCE"]);
    for PersonalDataType { event_type, subjects, since, .. } in types {
        for entry in subjects {
            table.add_row([
                event_type.clone(),
                entry.subject.clone().unwrap_or_else(|| "metadata.subjects".to_owned()),
                entry.fields.join(" "),
                entry.forgotten.as_ref().map_or("null", |json| json.get()).to_owned(),
                since.map_or_else(|| "not yet".to_owned(), |since| since.to_string()),
            ]);
        }
    }
    table
}

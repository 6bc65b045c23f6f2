//! Declaring personal data, and removing what is declared.

use anyhow::Context as _;
use clap::Args;
use reqwest::Method;
use serde_json::value::RawValue;

use crate::{
    api::{PersonalDataType, PersonalFields, PersonalFieldsOfType},
    cli::{
        client::Client,
        output::{self, say},
    },
    config::ClientOptions,
};

/// Declare which fields of a type of events are personal, and whose. What was declared of the type before goes.
///
/// The command ends when all hosts encrypt what is appended, some seconds later. Events that are in the log already stay as they are.
#[derive(Args, Debug)]
pub(super) struct Set {
    /// The type of events
    event_type: String,

    /// A field of the data, as a JSON Pointer: /name, /address/street; several times for several
    #[arg(long = "field", value_name = "POINTER", required_unless_present = "json_text")]
    fields: Vec<String>,

    /// Where the data says whose the fields are, as a JSON Pointer: /customer_id. Without it, the one text of `subjects` in the metadata does
    #[arg(long, value_name = "POINTER")]
    subject: Option<String>,

    /// What readers see of a field when its subject is forgotten, as JSON [default: null]
    #[arg(long, value_name = "JSON")]
    forgotten: Option<String>,

    /// The whole declaration as JSON, for fields of several subjects: {"subjects":[{"subject":"/from","fields":["/sender"]},…]}
    #[arg(long = "declaration", value_name = "JSON", conflicts_with_all = ["fields", "subject", "forgotten"])]
    json_text: Option<String>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// Remove what is declared of a type of events: they are appended as they are again. Those that are encrypted stay so.
#[derive(Args, Debug)]
pub(super) struct Remove {
    /// The type of events
    event_type: String,

    #[command(flatten)]
    client: ClientOptions,
}

impl Set {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let declared = match &self.json_text {
            Some(json) => serde_json::from_str(json).context("--declaration is not a declaration")?,
            None => {
                let forgotten = self.forgotten.map(RawValue::from_string).transpose();
                let forgotten = forgotten.context("--forgotten is not JSON; write a text as '\"forgotten\"'")?;
                PersonalFieldsOfType {
                    subjects: vec![PersonalFields { subject: self.subject, fields: self.fields, forgotten }],
                }
            }
        };
        let path = ["v1", "personal-data", &self.event_type];
        let set: PersonalDataType = client.json(client.request(Method::PUT, &path).json(&declared)).await?;
        if self.json {
            output::json(&set)?;
        }
        match set.since {
            Some(since) => say(format_args!(
                "personal fields of `{}` are encrypted in each event behind position {since}; earlier ones stay as they are",
                set.event_type
            )),
            None => say(format_args!("`{}` was declared otherwise meanwhile; declare it once more", set.event_type)),
        }
        Ok(())
    }
}

impl Remove {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        client.send(client.request(Method::DELETE, &["v1", "personal-data", &self.event_type])).await?;
        let event_type = &self.event_type;
        say(format_args!(
            "events of the type `{event_type}` are appended as they are; those that are encrypted stay so"
        ));
        Ok(())
    }
}

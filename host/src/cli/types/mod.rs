//! `gnomon types`

mod comments;
mod names;
mod python;
mod rust;
#[cfg(test)]
mod tests;
mod typescript;

use clap::{Args, ValueEnum};

use super::{client::Client, output};
use crate::{
    api::{ReadModel, TableDescriptor},
    config::ClientOptions,
};

/// Print the types of a projection's rows, as the API answers them, for a program in TypeScript, Python or Rust.
///
/// The types are those of the active build, or of the newest one if none is active. Print them again when another version is deployed.
#[derive(Args, Debug)]
pub(super) struct Types {
    /// The projection
    projection: String,

    /// The language
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,

    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// An interface for each table
    #[value(name = "ts", alias = "typescript")]
    TypeScript,
    /// A TypedDict for each table: rows are the dictionaries that `json` reads
    Python,
    /// A struct for each table, for serde and serde_json
    Rust,
}

impl Types {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let found: ReadModel = client.json(client.get(&["v1", "read-models", &self.projection])).await?;
        let about = match (found.active_build, found.active_version) {
            (Some(build), Some(version)) => {
                format!("Rows of the projection `{}`: version {version}, build {build}.", found.projection)
            }
            _ => format!("Rows of the projection `{}`, of which no build is active yet.", found.projection),
        };
        let tables: Vec<TableDescriptor> = found.tables.into_iter().map(|table| table.table).collect();
        output::data(self.lang.render(&about, &tables).trim_end())?;
        Ok(())
    }
}

impl Language {
    fn render(self, about: &str, tables: &[TableDescriptor]) -> String {
        match self {
            Self::TypeScript => typescript::render(about, tables),
            Self::Python => python::render(about, tables),
            Self::Rust => rust::render(about, tables),
        }
    }
}

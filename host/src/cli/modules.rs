//! `gnomon modules`

use clap::Args;

use super::{client::Client, figures, output};
use crate::{
    api::{self, Module, ModuleVersion, Sdk},
    config::ClientOptions,
};

/// List the modules that were uploaded, or the versions of one.
#[derive(Args, Debug)]
pub(super) struct Modules {
    /// The module
    #[arg(add = crate::cli::known_names::modules())]
    name: Option<String>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// Characters of a digest that are shown.
const SHOWN_DIGEST: usize = 12;

impl Modules {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let mut path = vec!["v1", "modules"];
        path.extend(self.name.as_deref());
        let body = client.text(client.get(&path)).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let mut table;
        if self.name.is_some() {
            table = output::table(&["VERSION", "DIGEST", "#SIZE", "UPLOADED", "SDK"]);
            for version in client.parse::<Module>(&body)?.versions {
                table.add_row([
                    version.version.to_string(),
                    short(&version),
                    size(&version),
                    version.uploaded_at.to_string(),
                    sdk(&version),
                ]);
            }
        } else {
            let modules = client.parse::<api::Modules>(&body)?.modules;
            if modules.is_empty() {
                output::say("no modules; `gnomon deploy` uploads one");
                return Ok(());
            }
            table = output::table(&["NAME", "KIND", "#VERSION", "DIGEST", "#SIZE", "UPLOADED"]);
            for Module { name, kind, latest_version, versions } in modules {
                let latest = versions.iter().find(|version| version.version == latest_version);
                let cells = latest.map(|latest| [short(latest), size(latest), latest.uploaded_at.to_string()]);
                let row =
                    [name, kind.to_string(), latest_version.to_string()].into_iter().chain(cells.into_iter().flatten());
                table.add_row(row);
            }
        }
        output::print_table(&table)?;
        Ok(())
    }
}

fn short(version: &ModuleVersion) -> String {
    version.digest.chars().take(SHOWN_DIGEST).collect()
}

/// What the version was written with: `gnomon-sdk 0.2.0 (Rust)`.
fn sdk(version: &ModuleVersion) -> String {
    let Sdk { name, version, language } = &version.sdk;
    format!("{name} {version} ({language})")
}

fn size(version: &ModuleVersion) -> String {
    figures::bytes(version.bytes).to_string()
}

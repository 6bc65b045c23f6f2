//! The modules of the places, built from the sources.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempDir;

use super::row::{PlaceOfRow, Row};
use crate::cli::{
    guest_crate::{CargoOutput, GuestCrate, add_target},
    progress::Progress,
    sources::Sources,
};

/// The projection of the bank.
pub(super) const BANK: &str = "bank";
/// The same, with a `find` by an index for each movement.
pub(super) const FINDS: &str = "finds";
/// The bank with a row for each event.
pub(super) const MOVEMENTS: &str = "movements";
/// A reactor that answers each event of the bank with another one.
pub(super) const ANSWERS: &str = "answers";
/// A reactor that sends a message of each movement of the bank.
pub(super) const ANNOUNCES: &str = "announces";
/// The modules that are reactors. A row lets them begin.
pub(super) const REACTORS: [&str; 2] = [ANSWERS, ANNOUNCES];
/// The projections of flights.
pub(super) const FLIGHTS: [&str; 3] = ["punctuality", "flights", "fleet"];
/// The projection of the bank ten times. Each has other bytes, so each is compiled and loaded by itself.
pub(super) const TEN: [&str; 10] =
    [BANK, "bank_1", "bank_2", "bank_3", "bank_4", "bank_5", "bank_6", "bank_7", "bank_8", "bank_9"];

/// Components by the names of their modules.
pub(super) struct Components {
    paths: BTreeMap<&'static str, PathBuf>,
    /// Has those that cargo has not built.
    _folder: TempDir,
}

/// The modules that a place has.
pub(super) fn of_place(place: PlaceOfRow) -> &'static [&'static str] {
    match place {
        PlaceOfRow::Empty | PlaceOfRow::EmptyEachRound => &[],
        PlaceOfRow::Bank
        | PlaceOfRow::KeptAnswers
        | PlaceOfRow::ManyAccounts
        | PlaceOfRow::Observed
        | PlaceOfRow::RareTypes
        | PlaceOfRow::ThreeSizes
        | PlaceOfRow::Streams
        | PlaceOfRow::LongStream => &[BANK],
        PlaceOfRow::Movements => &[MOVEMENTS],
        PlaceOfRow::Answers => &[BANK, MOVEMENTS, ANSWERS],
        PlaceOfRow::Announcements => &[ANNOUNCES],
        PlaceOfRow::Flights => &FLIGHTS,
        PlaceOfRow::Finds => &[BANK, FINDS],
        PlaceOfRow::TenModules => &TEN,
    }
}

impl Components {
    /// Builds the modules that rows need; looks for sources only if there are any.
    pub(super) async fn build(rows: &[&Row], sources: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut paths = BTreeMap::new();
        let names: Vec<&'static str> = rows.iter().flat_map(|row| of_place(row.place)).copied().collect();
        if !names.is_empty() {
            let sources = Sources::find(sources)?;
            for name in names {
                if !paths.contains_key(name) {
                    paths.insert(name, component(name, &sources, folder.path()).await?);
                }
            }
        }
        Ok(Self { paths, _folder: folder })
    }

    /// The components of a place, with their names.
    pub(super) fn of(&self, place: PlaceOfRow) -> anyhow::Result<Vec<(&'static str, &Path)>> {
        let find = |name: &&'static str| Some((*name, self.paths.get(name)?.as_path()));
        of_place(place).iter().map(|name| find(name).with_context(|| format!("`{name}` was not built"))).collect()
    }
}

/// Builds a module, or makes it of one that is built.
async fn component(name: &'static str, sources: &Sources, folder: &Path) -> anyhow::Result<PathBuf> {
    match name {
        FINDS | MOVEMENTS | ANSWERS | ANNOUNCES => build(name, &sources.module_of_benchmark(name)).await,
        _ if name != BANK && TEN.contains(&name) => {
            let bank = build(BANK, &sources.module(BANK)).await?;
            let path = folder.join(name);
            tokio::fs::write(&path, named(tokio::fs::read(bank).await?, name)).await?;
            Ok(path)
        }
        _ => build(name, &sources.module(name)).await,
    }
}

async fn build(name: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    // Before the progress, which rustup would write over.
    add_target(folder).await?;
    let progress = Progress::start();
    let show = |line: &str| progress.show(0, None, format_args!("building {name}: {line}"));
    let built = GuestCrate::find(folder).await?.build(CargoOutput::Lines(&show)).await?;
    Ok(built.path)
}

/// A component with a custom section more, which has a name and nothing else: other bytes that do the same.
/// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>
fn named(mut component: Vec<u8>, name: &str) -> Vec<u8> {
    // Numbers below 128 are one byte, in LEB128.
    let length = name.len() as u8;
    component.extend([0, length + 1, length]);
    component.extend_from_slice(name.as_bytes());
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_with_another_name_is_valid_and_has_other_bytes() {
        let component = b"\0asm\x0d\0\x01\0".to_vec();
        for name in TEN {
            let named = named(component.clone(), name);
            assert!(wasmparser::validate(&named).is_ok(), "{name}");
            assert!(named.ends_with(name.as_bytes()), "{name}");
        }
    }
}

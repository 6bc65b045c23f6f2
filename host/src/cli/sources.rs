//! Gnomon's sources: sample modules and their events.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The folder of the sources.
#[derive(Debug)]
pub(super) struct Sources(PathBuf);

/// The events of the week.
const WEEK: &str = "projections/flight-events/data/flights-2013-week1.jsonl.gz";

impl Sources {
    /// The given folder, or the sources from which this program was built.
    pub(super) fn find(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let was_given = given.is_some();
        let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        if !folder.join(WEEK).is_file() {
            let folder = folder.display();
            if was_given {
                bail!("{folder} is not the folder of Gnomon's sources: it has no {WEEK}");
            }
            bail!(
                "this command builds modules from Gnomon's sources, and they are not in {folder} any more; give their folder with \
                 --sources or GNOMON_SOURCES"
            );
        }
        Ok(Self(folder))
    }

    /// The crate of a module.
    pub(super) fn module(&self, name: &str) -> PathBuf {
        self.0.join("projections").join(name)
    }

    /// The crate of a module that only `gnomon bench all` needs.
    pub(super) fn module_of_benchmark(&self, name: &str) -> PathBuf {
        self.0.join("benches/modules").join(name)
    }

    /// The events of the week.
    pub(super) fn week(&self) -> PathBuf {
        self.0.join(WEEK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_of_this_program_are_found() {
        let sources = Sources::find(None).unwrap();
        assert!(sources.module("punctuality").join("Cargo.toml").is_file());
    }

    #[test]
    fn another_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Sources::find(Some(folder.path().to_owned())).unwrap_err().to_string();
        assert!(error.contains("is not the folder of Gnomon's sources"), "{error}");
    }
}

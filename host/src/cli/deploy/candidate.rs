//! What is to be deployed: components, of which some are built now.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::{
    cli::{
        guest_crate::{CargoOutput, GuestCrate},
        output::say,
    },
    read_model::Identifier,
};

/// A module to deploy.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The name of the module.
    pub(super) name: String,
    /// The path of its component.
    pub(super) component: PathBuf,
}

/// What a path names.
enum Source {
    Crate(GuestCrate),
    Component(PathBuf),
}

/// The modules of these paths. The tests of crates are run first if `test`, and their components are built.
///
/// # Errors
/// A path has no module, the name of one is not allowed or stands twice, tests fail, or a crate does not build.
pub(super) async fn candidates(paths: &[PathBuf], name: Option<&str>, test: bool) -> anyhow::Result<Vec<Candidate>> {
    if let (Some(name), [_, _, ..]) = (name, paths) {
        bail!("--name {name} names one module, and {} are given; deploy it alone, or leave --name out", paths.len());
    }
    // Refuses what the host would refuse, before the tests and the builds, which may take long.
    let mut sources: Vec<(String, Source)> = Vec::new();
    for path in paths {
        let (default, source) = source(path).await?;
        let name = checked_name(name, &default)?;
        if sources.iter().any(|(other, _)| *other == name) {
            bail!("two of the paths are the module `{name}`; one version of it can be deployed");
        }
        sources.push((name, source));
    }
    if test {
        for (_, source) in &sources {
            if let Source::Crate(guest) = source {
                say(format_args!("running the tests of `{}`", guest.package()));
                guest.test().await?;
            }
        }
    }
    let mut candidates = Vec::new();
    for (name, source) in sources {
        let component = match source {
            Source::Crate(guest) => guest.build(CargoOutput::Inherited).await?.path,
            Source::Component(path) => path,
        };
        candidates.push(Candidate { name, component });
    }
    Ok(candidates)
}

/// What is at a path, and the name that its module has if no other is given.
async fn source(path: &Path) -> anyhow::Result<(String, Source)> {
    if path.is_dir() {
        let guest = GuestCrate::find(path).await?;
        return Ok((guest.module_name(), Source::Crate(guest)));
    }
    let file = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok((file.replace('-', "_"), Source::Component(path.to_owned())))
}

fn checked_name(given: Option<&str>, default: &str) -> anyhow::Result<String> {
    let name = given.unwrap_or(default);
    let name = Identifier::new(name).with_context(|| {
        if given.is_some() {
            "--name is not a valid name of a module".to_owned()
        } else {
            "give the module a name with --name".to_owned()
        }
    })?;
    Ok(name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn several_modules_have_names_of_their_own() {
        let refused = async |paths: &[&str], name| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            candidates(&paths, name, true).await.unwrap_err().to_string()
        };
        let error = refused(&["a.wasm", "b.wasm"], Some("c")).await;
        assert_eq!(error, "--name c names one module, and 2 are given; deploy it alone, or leave --name out");
        let error = refused(&["one/a-b.wasm", "two/a_b.wasm"], None).await;
        assert_eq!(error, "two of the paths are the module `a_b`; one version of it can be deployed");
    }

    #[test]
    fn names_are_checked_before_anything_is_built() {
        assert_eq!(checked_name(None, "carrier_daily").unwrap(), "carrier_daily");
        assert_eq!(checked_name(Some("other"), "carrier_daily").unwrap(), "other");
        let error = format!("{:#}", checked_name(Some("Other"), "carrier_daily").unwrap_err());
        assert!(
            error.starts_with("--name is not a valid name of a module: the name `Other` must be made of"),
            "{error}"
        );
        let error = format!("{:#}", checked_name(None, "1st").unwrap_err());
        assert!(error.starts_with("give the module a name with --name: the name `1st`"), "{error}");
    }
}

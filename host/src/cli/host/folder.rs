//! The folder of a host's files.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};

/// Makes the folder of a host's files if it is missing, closed to others whatever the umask, and checks that it can be written to.
pub(in crate::cli) fn prepare_folder(folder: &Path) -> anyhow::Result<()> {
    // The last ancestor of a relative path is the current folder, and has no name.
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    let hint = || {
        format!(
            "cannot use {} as the folder for the host's files; choose another one with --data-dir (GNOMON_DATA_DIR)",
            folder.display()
        )
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(hint)?;
    // If the host runs as root, its private Postgres runs as another user, who must be able to pass.
    let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
    for made in missing {
        fs::set_permissions(made, fs::Permissions::from_mode(mode)).with_context(hint)?;
    }
    if !folder.is_dir() {
        bail!("{}: it is not a folder", hint());
    }
    tempfile::Builder::new().prefix("new-").tempfile_in(folder).map(drop).with_context(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_it_makes_is_closed_to_others() {
        let above = tempfile::tempdir().unwrap();
        fs::set_permissions(above.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let folder = above.path().join("a/b");
        prepare_folder(&folder).unwrap();
        assert_eq!((mode(&folder) & 0o766, mode(&above.path().join("a")) & 0o766), (0o700, 0o700));
        // One that exists stays as it is.
        prepare_folder(above.path()).unwrap();
        assert_eq!(mode(above.path()), 0o755);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn one_that_cannot_be_used_names_the_option() {
        let above = tempfile::tempdir().unwrap();
        let file = above.path().join("file");
        fs::write(&file, "").unwrap();
        for folder in [file.clone(), file.join("below"), Path::new("/proc/gnomon").to_owned()] {
            let error = format!("{:#}", prepare_folder(&folder).unwrap_err());
            assert!(error.starts_with(&format!("cannot use {} as the folder", folder.display())), "{error}");
            assert!(error.contains("--data-dir"), "{error}");
        }
    }
}

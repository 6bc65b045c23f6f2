//! Finds a Postgres server on this machine.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::error::EmbeddedError;
use super::user::ServerUser;
use super::version::{Major, SUPPORTED};

/// Where packages install servers that are not in the PATH: a folder, the prefix of folders in it, and the folder of the
/// programs in those.
const SYSTEM: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),                      // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                               // RHEL and Fedora, from postgresql.org
    ("/usr/lib", "postgresql", "bin"),                       // SUSE
    ("/usr/lib64", "postgresql-", "bin"),                    // Gentoo
    ("/usr/libexec", "postgresql", ""),                      // Alpine
    ("/opt/homebrew/opt", "postgresql", "bin"),              // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql", "bin"),                 // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"), // Homebrew on Linux
    ("/opt/local/lib", "postgresql", "bin"),                 // MacPorts
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/Library/PostgreSQL", "", "bin"),   // EDB's installer on macOS
    ("/opt/PostgreSQL", "", "bin"),       // … and on Linux
    ("/usr/local", "pgsql", "bin"),       // built from source; OpenBSD
    ("/usr/local", "bin", ""),            // FreeBSD
    ("/run/current-system", "sw", "bin"), // NixOS
];

/// A server's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: Major,
    /// What `postgres --version` prints.
    pub(super) version: String,
}

impl Binaries {
    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// Checks a folder: it must have the programs, and the user must be able to run them.
    pub(super) fn probe(folder: &Path, user: &ServerUser) -> Result<Self, String> {
        for program in ["postgres", "initdb"] {
            if !folder.join(program).is_file() {
                return Err(format!("there is no `{program}` in it"));
            }
        }
        let output = user
            .command(folder.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("the user {} cannot run `postgres` from there: {error}", user.name()))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match Major::of_program(&version) {
            Some(major) if output.status.success() => Ok(Self { folder: folder.to_owned(), major, version }),
            _ => {
                let complaint = String::from_utf8_lossy(&output.stderr);
                Err(format!("`postgres --version` fails there: {} {version}{}", output.status, complaint.trim()))
            }
        }
    }
}

/// The folders to search.
pub(super) struct Search {
    /// `PG_BIN`.
    pub(super) pg_bin: Option<PathBuf>,
    /// Folders in the order of preference.
    path: Vec<PathBuf>,
    /// Folders in no order.
    system: Vec<PathBuf>,
}

impl Search {
    pub(super) fn of_this_machine(pg_bin: Option<PathBuf>) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let system = SYSTEM.iter().flat_map(|(parent, prefix, below)| beginning_with(parent, prefix, below)).collect();
        Self { pg_bin, path: folders(path), system }
    }

    /// The server for a cluster of a certain version, or for a new one (`None`). `Ok(None)` if this machine has no
    /// server at all that is supported, or none of that version.
    ///
    /// Servers in the PATH are preferred, in its order; then the newest.
    pub(super) fn find(&self, cluster: Option<Major>, user: &ServerUser) -> Result<Found, EmbeddedError> {
        if let Some(folder) = &self.pg_bin {
            let unusable = |reason| EmbeddedError::PgBin { folder: folder.clone(), reason };
            let binaries = Binaries::probe(folder, user).map_err(unusable)?;
            if !binaries.major.is_supported() {
                return Err(unusable(format!(
                    "it holds PostgreSQL {}, and only {} to {} are supported",
                    binaries.major,
                    SUPPORTED.start(),
                    SUPPORTED.end()
                )));
            }
            if let Some(major) = cluster
                && binaries.major != major
            {
                return Err(unusable(format!(
                    "it holds PostgreSQL {}, and the database was made by {major}",
                    binaries.major
                )));
            }
            return Ok(Found { chosen: Some(binaries), others: Vec::new() });
        }

        let mut seen = HashSet::new();
        let mut probe = |folders: &[PathBuf]| -> Vec<Binaries> {
            let unseen = folders.iter().filter(|folder| folder.canonicalize().is_ok_and(|path| seen.insert(path)));
            unseen.filter_map(|folder| Binaries::probe(folder, user).ok()).collect()
        };
        let mut all = probe(&self.path);
        let mut system = probe(&self.system);
        system.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        all.extend(system);

        let fits = |binaries: &Binaries| cluster.map_or(binaries.major.is_supported(), |major| binaries.major == major);
        let chosen = all.iter().position(fits).map(|index| all.remove(index));
        Ok(Found { chosen, others: all })
    }
}

/// The result of a search.
pub(super) struct Found {
    pub(super) chosen: Option<Binaries>,
    pub(super) others: Vec<Binaries>,
}

fn folders(path: OsString) -> Vec<PathBuf> {
    // Without relative and empty entries, which depend on the current folder: root must run nothing from there.
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

fn beginning_with(parent: &str, prefix: &str, below: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .map(|path| path.join(below))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Folders with programs that claim to be a version of Postgres.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            Self(folder)
        }

        fn server(&self, name: &str, major: u16) -> PathBuf {
            let folder = self.0.path().join(name);
            fs::create_dir(&folder).unwrap();
            for program in ["postgres", "initdb"] {
                Self::program(&folder.join(program), &format!("echo '{program} (PostgreSQL) {major}.1'"));
            }
            folder
        }

        /// A child process writes the script: a fork of another test would inherit an open handle of this process, and Linux
        /// does not run a file that is open for writing.
        fn program(path: &Path, line: &str) {
            let script = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
            let done = std::process::Command::new("/bin/sh").args(["-c", script, "sh"]).arg(path).arg(line).status();
            assert!(done.unwrap().success());
        }

        fn find(
            &self,
            pg_bin: Option<&Path>,
            path: &[&Path],
            system: &[&Path],
            cluster: Option<u16>,
        ) -> Result<Option<u16>, EmbeddedError> {
            let user = ServerUser::choose(Path::new("/nonexistent")).unwrap();
            let owned = |folders: &[&Path]| folders.iter().map(|folder| folder.to_path_buf()).collect();
            let search = Search { pg_bin: pg_bin.map(Path::to_owned), path: owned(path), system: owned(system) };
            let found = search.find(cluster.map(Major::new), &user)?;
            Ok(found.chosen.map(|binaries| binaries.major.to_string().parse().unwrap()))
        }
    }

    #[test]
    fn the_path_goes_first_and_then_the_newest() {
        let machine = Machine::new();
        let (a, b, c) = (machine.server("a", 15), machine.server("b", 17), machine.server("c", 16));
        assert_eq!(machine.find(None, &[&c], &[&a, &b], None).unwrap(), Some(16));
        assert_eq!(machine.find(None, &[], &[&a, &b, &c], None).unwrap(), Some(17));
    }

    #[test]
    fn unsupported_and_incomplete_servers_are_passed_over() {
        let machine = Machine::new();
        let (old, new, good) = (machine.server("old", 12), machine.server("new", 99), machine.server("good", 14));
        let broken = machine.server("broken", 18);
        fs::remove_file(broken.join("initdb")).unwrap();
        let dud = machine.server("dud", 18);
        Machine::program(&dud.join("postgres"), "exit 127");
        let missing = machine.0.path().join("missing");
        assert_eq!(machine.find(None, &[&old, &missing, &broken, &dud], &[&new, &good], None).unwrap(), Some(14));
        assert_eq!(machine.find(None, &[], &[&new, &old], None).unwrap(), None);
    }

    #[test]
    fn a_cluster_gets_the_server_that_made_it() {
        let machine = Machine::new();
        let (a, b) = (machine.server("a", 15), machine.server("b", 17));
        assert_eq!(machine.find(None, &[&b], &[&a], Some(15)).unwrap(), Some(15));
        assert_eq!(machine.find(None, &[&b], &[&a], Some(16)).unwrap(), None);
    }

    #[test]
    fn pg_bin_is_the_only_folder_searched_if_it_is_set() {
        let machine = Machine::new();
        let (a, b, old) = (machine.server("a", 15), machine.server("b", 17), machine.server("old", 12));
        assert_eq!(machine.find(Some(&a), &[&b], &[], None).unwrap(), Some(15));

        for (folder, cluster, reason) in [
            (machine.0.path().join("missing"), None, "there is no `postgres` in it"),
            (old, None, "only 14 to 18 are supported"),
            (a, Some(17), "the database was made by 17"),
        ] {
            let error = machine.find(Some(&folder), &[&b], &[], cluster).unwrap_err();
            assert!(matches!(error, EmbeddedError::PgBin { .. }) && error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn system_folders_are_listed_by_prefix() {
        let machine = Machine::new();
        machine.server("pgsql-16", 16);
        machine.server("pgsql-17", 17);
        machine.server("python", 3);
        let mut found = beginning_with(machine.0.path().to_str().unwrap(), "pgsql-", "bin");
        found.sort();
        assert_eq!(found, [machine.0.path().join("pgsql-16/bin"), machine.0.path().join("pgsql-17/bin")]);
    }
}

//! The user that Postgres runs as. Postgres refuses to run as root, so if the host is root another user is chosen.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, getegid, geteuid};

use super::error::EmbeddedError;

/// The users that Postgres runs as if the host is root, in the order of preference.
///
/// Other programs that run as `nobody` may read the files, but containers often have no other user.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user that Postgres and its tools run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUser {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether this is another user than the host's, which is root then.
    switch: bool,
}

impl ServerUser {
    /// Chooses the user for a cluster that may not exist yet.
    pub(super) fn choose(cluster: &Path) -> Result<Self, EmbeddedError> {
        let owner = match fs::metadata(cluster) {
            Ok(metadata) => Some((metadata.uid(), metadata.gid())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(EmbeddedError::io("look at", cluster)(error)),
        };
        let host = Self { name: name_of(geteuid()), uid: geteuid().as_raw(), gid: getegid().as_raw(), switch: false };
        let unprivileged = || CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        Self::decide(cluster, host, owner, unprivileged)
    }

    fn decide(
        cluster: &Path,
        host: Self,
        owner: Option<(u32, u32)>,
        unprivileged: impl Fn() -> Option<User>,
    ) -> Result<Self, EmbeddedError> {
        if host.uid != 0 {
            return match owner {
                Some((uid, _)) if uid != host.uid => Err(host.stranger_to(cluster, uid)),
                _ => Ok(host),
            };
        }
        match owner {
            // The cluster keeps its owner, even if a preferred user has been added since it was made.
            Some((uid, gid)) if uid != 0 => Ok(Self { name: name_of(Uid::from_raw(uid)), uid, gid, switch: true }),
            Some(_) => {
                let user = unprivileged().ok_or(EmbeddedError::NoUser)?.name;
                let remedy = format!("run `chown -R {user} {}`", cluster.display());
                Err(EmbeddedError::Owner { path: cluster.to_owned(), owner: name_of(Uid::from_raw(0)), user, remedy })
            }
            None => {
                let user = unprivileged().ok_or(EmbeddedError::NoUser)?;
                Ok(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), switch: true })
            }
        }
    }

    /// The error of a host that does not run as root and finds files of another user.
    pub(super) fn stranger_to(&self, path: &Path, owner: u32) -> EmbeddedError {
        let owner = name_of(Uid::from_raw(owner));
        let user = self.name.clone();
        // All of the files, since some belong to the host that made them, which is often root.
        let home = path.parent().unwrap_or(path);
        let remedy =
            format!("start gnomon as the user who used it before, or run `chown -R {user} {}`", home.display());
        EmbeddedError::Owner { path: path.to_owned(), owner, user, remedy }
    }

    /// A command that runs as this user, in an environment that is the same on every machine.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // `PGPORT`, `PGDATA`, `PGOPTIONS` and others would override the host's settings, and the host reads messages in English.
        for (name, _) in std::env::vars_os() {
            if let Some(name) = name.to_str()
                && (name.starts_with("PG") || name.starts_with("LC_") || name.starts_with("LANG"))
            {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").env("TZ", "UTC");
        // This user may not be allowed to enter the host's current folder.
        command.current_dir("/");
        if self.switch {
            // With a uid set, std drops root's supplementary groups too.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes this user the owner of a file or folder that the host has made.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid)).map_err(EmbeddedError::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// Makes a folder and the missing ones above it, and forces their names to disk, so that files that are synced later can be
    /// found after a crash. Whatever the umask, others may not read them; if the host is root, every user may pass through them.
    pub(super) fn create_dir(&self, path: &Path) -> Result<(), EmbeddedError> {
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::create_dir_all(path).map_err(EmbeddedError::io("make the folder", path))?;
        for folder in missing {
            let mode = if self.switch { 0o711 } else { 0o700 };
            fs::set_permissions(folder, fs::Permissions::from_mode(mode))
                .map_err(EmbeddedError::io("set the mode of", folder))?;
            // A folder that may be written and not read cannot be opened; its name is not forced to disk then.
            if let Some(parent) = folder.parent().and_then(|parent| fs::File::open(parent).ok()) {
                parent.sync_all().map_err(EmbeddedError::io("write the name of", folder))?;
            }
        }
        Ok(())
    }

    /// Fails if this user cannot enter a folder. A process of the user tries, since the mode bits do not show access lists and
    /// mounts.
    pub(super) fn check_reach(&self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.switch {
            return Ok(());
        }
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        let answer = self
            .command("/bin/sh")
            .args(["-c", r#"i=0; for f do [ -x "$f" ] || { echo $i; exit; }; i=$((i+1)); done"#, "sh"])
            .args(&folders)
            .stdin(Stdio::null())
            .output()
            .map_err(EmbeddedError::io("run as another user", Path::new("/bin/sh")))?;
        let closed = String::from_utf8_lossy(&answer.stdout).trim().parse::<usize>().ok();
        match closed.and_then(|index| folders.get(index)) {
            None => Ok(()),
            Some(folder) => Err(EmbeddedError::Unreachable { folder: (*folder).to_owned(), user: self.name.clone() }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(uid: u32) -> ServerUser {
        ServerUser { name: format!("user{uid}"), uid, gid: uid, switch: false }
    }

    fn decide(host_uid: u32, owner: Option<(u32, u32)>, other: Option<User>) -> Result<ServerUser, EmbeddedError> {
        ServerUser::decide(Path::new("/data/cluster"), host(host_uid), owner, || other.clone())
    }

    fn some_user() -> User {
        let mut user = User::from_uid(Uid::from_raw(0)).unwrap().unwrap();
        user.name = "postgres".into();
        user.uid = Uid::from_raw(70);
        user.gid = 71.into();
        user
    }

    #[test]
    fn an_ordinary_user_runs_postgres_as_itself() {
        assert_eq!(decide(1000, None, Some(some_user())).unwrap(), host(1000));
        assert_eq!(decide(1000, Some((1000, 1000)), Some(some_user())).unwrap(), host(1000));
    }

    #[test]
    fn an_ordinary_user_is_refused_the_cluster_of_another() {
        assert!(matches!(decide(1000, Some((70, 71)), None), Err(EmbeddedError::Owner { .. })));
    }

    #[test]
    fn root_runs_postgres_as_another_user() {
        let user = decide(0, None, Some(some_user())).unwrap();
        assert_eq!((user.uid, user.gid, user.switch), (70, 71, true));
        assert!(matches!(decide(0, None, None), Err(EmbeddedError::NoUser)));
    }

    #[test]
    fn root_runs_postgres_as_the_owner_of_the_cluster() {
        let user = decide(0, Some((4321, 4322)), Some(some_user())).unwrap();
        assert_eq!((user.uid, user.gid, user.switch), (4321, 4322, true));
        let error = decide(0, Some((0, 0)), Some(some_user())).unwrap_err();
        assert!(error.to_string().contains("chown -R postgres /data/cluster"), "{error}");
    }
}

//! Whom Postgres runs as. It refuses to run as root, so where Gnomon is root another user has to be found.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, getegid, geteuid};

use super::error::EmbeddedError;

/// The users that root gives its Postgres to, first choice first.
///
/// `nobody` is the lesser choice: whatever else runs as `nobody` on this machine may read the files. It is still better
/// than not to start; containers often have no other user.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user that Postgres and its tools run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUser {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether this is somebody else than the host, which is root then.
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
            // The cluster's owner stays the same even if a better candidate has turned up since it was made.
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

    /// An ordinary user's host has come upon files of another.
    pub(super) fn stranger_to(&self, path: &Path, owner: u32) -> EmbeddedError {
        let owner = name_of(Uid::from_raw(owner));
        let user = self.name.clone();
        // All of Postgres's files, of which some are the host's that made them: often root's.
        let home = path.parent().unwrap_or(path);
        let remedy = format!("start gnomon as whoever has used it before, or run `chown -R {user} {}`", home.display());
        EmbeddedError::Owner { path: path.to_owned(), owner, user, remedy }
    }

    /// A command that runs as this user, in an environment that is the same on every machine.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // `PGPORT`, `PGDATA`, `PGOPTIONS` and others would set what we set; messages are read by us, hence English.
        for (name, _) in std::env::vars_os() {
            if let Some(name) = name.to_str()
                && (name.starts_with("PG") || name.starts_with("LC_") || name.starts_with("LANG"))
            {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").env("TZ", "UTC");
        // The host's own folder may be closed to this user.
        command.current_dir("/");
        if self.switch {
            // With a uid set, std drops root's supplementary groups too.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives a file or folder that the host has made to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid)).map_err(EmbeddedError::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// Makes a folder and those above it that are missing, on disk too: what is fsynced later must not hang in the air.
    /// Root's umask is often so strict that nobody else could enter them; they are opened then.
    pub(super) fn create_dir(&self, path: &Path) -> Result<(), EmbeddedError> {
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::create_dir_all(path).map_err(EmbeddedError::io("make the folder", path))?;
        for folder in missing {
            if self.switch {
                fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
                    .map_err(EmbeddedError::io("open to others", folder))?;
            }
            // One may have the right to write to a folder and none to read it.
            if let Some(parent) = folder.parent().and_then(|parent| fs::File::open(parent).ok()) {
                parent.sync_all().map_err(EmbeddedError::io("write the name of", folder))?;
            }
        }
        Ok(())
    }

    /// Whether this user can get to a folder. The kernel is asked instead of the mode bits, since it also knows of
    /// access lists and mounts.
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
    fn an_ordinary_user_runs_postgres_itself() {
        assert_eq!(decide(1000, None, Some(some_user())).unwrap(), host(1000));
        assert_eq!(decide(1000, Some((1000, 1000)), Some(some_user())).unwrap(), host(1000));
    }

    #[test]
    fn an_ordinary_user_is_refused_the_cluster_of_another() {
        assert!(matches!(decide(1000, Some((70, 71)), None), Err(EmbeddedError::Owner { .. })));
    }

    #[test]
    fn root_hands_postgres_to_another() {
        let user = decide(0, None, Some(some_user())).unwrap();
        assert_eq!((user.uid, user.gid, user.switch), (70, 71, true));
        assert!(matches!(decide(0, None, None), Err(EmbeddedError::NoUser)));
    }

    #[test]
    fn root_keeps_to_the_owner_of_a_cluster() {
        let user = decide(0, Some((4321, 4322)), Some(some_user())).unwrap();
        assert_eq!((user.uid, user.gid, user.switch), (4321, 4322, true));
        let error = decide(0, Some((0, 0)), Some(some_user())).unwrap_err();
        assert!(error.to_string().contains("chown -R postgres /data/cluster"), "{error}");
    }
}

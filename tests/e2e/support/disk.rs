//! A disk of its own for one server, which a test can fill: a file system in memory. Only root may mount one.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::Uid;

/// More than a test writes.
const SIZE: u64 = 16 << 30;

/// A mounted disk, which ends when this is dropped.
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk on a folder; `None` where this process may not.
    pub(crate) fn mount(folder: &Path) -> Option<Self> {
        let options = format!("mode=755,size={SIZE}");
        let mounted = Uid::effective().is_root()
            && run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder)).is_some();
        mounted.then(|| Self { folder: folder.to_owned() })
    }

    /// Leaves about so many bytes free.
    pub(crate) fn fill(&self, free: u64) {
        // What is written between the two commands may not fit any more.
        let filled = (0..20).any(|_| self.resize(self.used() + free));
        assert!(filled, "the disk at {} cannot be made smaller", self.folder.display());
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        assert!(self.resize(SIZE), "the disk at {} cannot be made larger", self.folder.display());
    }

    fn used(&self) -> u64 {
        let output = run(Command::new("stat").args(["-f", "-c", "%b %f %S"]).arg(&self.folder)).unwrap();
        let numbers: Vec<u64> = output.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [blocks, unused, size] = numbers[..] else { panic!("stat printed {output}") };
        (blocks - unused) * size
    }

    fn resize(&self, size: u64) -> bool {
        run(Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.folder)).is_some()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process of the server may still be about to end.
        run(Command::new("umount").arg("--lazy").arg(&self.folder));
    }
}

/// Runs a program; returns what it printed, or `None` if it failed.
fn run(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

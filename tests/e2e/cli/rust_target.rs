//! `gnomon build` where Rust lacks the target of modules. rustc, rustup and cargo are scripts, so that this machine's Rust stays as it is.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::Said;
use crate::support::gnomon;

/// A Rust whose toolchain `t1` lacks the target.
struct Rust(TempDir);

impl Rust {
    /// `target_add` is what the command of rustup does; `$libraries` is the folder that it should make.
    fn lacking(target_add: &str) -> Self {
        let rust = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(rust.path().join("rustup/toolchains/t1/lib/rustlib")).unwrap();
        rust.program("rustc", "echo $libraries");
        rust.program(
            "rustup",
            &format!(
                "[ \"$*\" = 'show home' ] && {{ echo $here/rustup; exit; }}\necho \"$*\" >>$here/log\n{target_add}"
            ),
        );
        // It finds the crate. That crates are built is shown elsewhere.
        rust.program(
            "cargo",
            &format!("[ \"$1\" = metadata ] && exec {} \"$@\"\necho 'cargo builds' >&2; exit 1", env!("CARGO")),
        );
        rust
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn program(&self, name: &str, script: &str) {
        let here = self.path();
        fs::create_dir_all(here.join("bin")).unwrap();
        let path = here.join("bin").join(name);
        let here = here.display();
        let libraries = "rustup/toolchains/t1/lib/rustlib/wasm32-wasip2/lib";
        fs::write(&path, format!("#!/bin/sh\nhere={here}; libraries={here}/{libraries}\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Builds a module with it. cargo fails when it comes to that.
    fn build(&self) -> Said {
        let bin = self.path().join("bin");
        let mut command = gnomon();
        command.arg("build").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../projections/bank"));
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("CARGO", bin.join("cargo"));
        let said = Said::from(command.env_remove("RUSTC").output().unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
        said
    }

    /// What rustup was told to do.
    fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }
}

const MISSING: &str = "Rust's target wasm32-wasip2, which modules are compiled for, is not installed";
const ADDING: &str = "adding it: rustup target add --toolchain t1 wasm32-wasip2\n";
const BUILDS: &str = "cargo builds\nerror: the crate `bank` does not build; the output of cargo above says why\n";

#[test]
fn a_target_that_is_missing_is_added_once_and_the_module_is_built() {
    let rust = Rust::lacking("mkdir -p $libraries; echo 'it is added'");
    assert_eq!(rust.build().err, format!("{MISSING}; {ADDING}it is added\n{BUILDS}"));
    assert_eq!(rust.build().err, BUILDS);
    assert_eq!(rust.log(), "target add --toolchain t1 wasm32-wasip2\n");
}

#[test]
fn a_target_that_cannot_be_added_is_an_error_with_the_line_to_type() {
    // The second says that it has done what it has not.
    for target_add in ["echo 'no network' >&2; exit 1", "echo 'no network' >&2"] {
        let rust = Rust::lacking(target_add);
        let error = format!(
            "error: {MISSING}, and rustup has not added it, as its output above says; this adds it: \
             rustup target add --toolchain t1 wasm32-wasip2\n"
        );
        assert_eq!(rust.build().err, format!("{MISSING}; {ADDING}no network\n{error}"));
    }
}

#[test]
fn a_rust_that_rustup_has_not_installed_is_left_alone() {
    let rust = Rust::lacking("mkdir -p $libraries");
    rust.program("rustc", "echo $here/other/lib");
    let error = format!(
        "error: {MISSING}, and rustup cannot add it, since this Rust is not one of its toolchains (there is no {}/other/lib); add it \
         with what has installed Rust, or install Rust from https://rustup.rs\n",
        rust.path().display()
    );
    assert_eq!(rust.build().err, error);
    assert_eq!(rust.log(), "");

    rust.program("rustc", "echo 'error: no such target' >&2; exit 1");
    assert_eq!(
        rust.build().err,
        "error: the installed Rust does not know the target wasm32-wasip2, which modules are compiled for: error: no such target\n"
    );
    rust.program("rustc", "echo $libraries");
    fs::remove_file(rust.path().join("bin/rustup")).unwrap();
    assert!(rust.build().err.contains("this Rust is not one of its toolchains"), "{}", rust.build().err);
}

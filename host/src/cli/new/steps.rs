//! What to do with a new crate.

use std::{env, ffi::OsStr, path::Path};

/// The commands that come next. They work in whatever folder they are pasted.
pub(super) fn next(folder: &Path) -> String {
    let program = env::args_os().next().and_then(|called| whole_path(&called));
    commands(folder, &program.unwrap_or_else(|| "gnomon".to_owned()))
}

/// The path of this program, if it is called by one and not found in the PATH.
fn whole_path(called: &OsStr) -> Option<String> {
    let is_path = Path::new(called).components().count() > 1;
    env::current_exe().ok().filter(|_| is_path).map(|program| program.display().to_string())
}

fn commands(folder: &Path, program: &str) -> String {
    let (folder, program) = (word(&folder.display().to_string()), word(program));
    format!("  cd {folder}\n  cargo test\n  {program} deploy .")
}

/// A text as one word for a shell.
fn word(text: &str) -> String {
    let is_plain = |of: char| of.is_ascii_alphanumeric() || matches!(of, '/' | '.' | '-' | '_');
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn paths_are_words_for_a_shell() {
        assert_eq!(
            commands(Path::new("/work/order-totals"), "gnomon"),
            "  cd /work/order-totals\n  cargo test\n  gnomon deploy ."
        );
        for text in ["/my folder/a", "/it's/$HOME", "/a;b"] {
            let output = Command::new("sh").arg("-c").arg(format!("printf %s {}", word(text))).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }

    #[test]
    fn a_program_that_the_path_finds_is_called_by_its_name() {
        assert_eq!(whole_path(OsStr::new("gnomon")), None);
        assert_eq!(whole_path(OsStr::new("./gnomon")), Some(env::current_exe().unwrap().display().to_string()));
    }
}

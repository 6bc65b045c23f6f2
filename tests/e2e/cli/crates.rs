//! The work of an author: `new`, the crate's own tests, `build`, `deploy` and `query`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use gnomon::postgres::test_database::TestDatabase;
use tempfile::TempDir;

use super::{Said, run};
use crate::support::{Host, gnomon};

/// The folder of this workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds with the dependencies of this workspace, which are on the machine, and into its target folder, which has some of them.
fn like_workspace(command: &mut Command, folder: &Path) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    command.current_dir(folder).env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
}

async fn finish(mut command: Command) -> Said {
    Said::from(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

async fn in_folder(folder: &Path, host: &Host, arguments: &[&str]) -> Said {
    let mut command = gnomon();
    command.args(arguments).env("GNOMON_URL", host.url());
    like_workspace(&mut command, folder);
    finish(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_crate_passes_its_tests_and_is_built_deployed_and_queried() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder: TempDir = tempfile::tempdir().unwrap();
    let made = in_folder(folder.path(), &host, &["new", "order-totals"]).await;
    assert_eq!((made.code, made.out.as_str()), (Some(0), "order-totals\n"), "{}", made.err);
    assert_eq!(
        made.err,
        "made the projection `order_totals`; next:\n  cd order-totals\n  cargo test\n  gnomon deploy .\n"
    );
    let again = in_folder(folder.path(), &host, &["new", "order-totals"]).await;
    assert_eq!(again.code, Some(1));
    assert_eq!(again.err, "error: order-totals exists already; choose another name or remove it\n");

    let project = folder.path().join("order-totals");
    fs::copy(workspace().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let mut tests = Command::new(env!("CARGO"));
    tests.arg("test");
    like_workspace(&mut tests, &project);
    let tests = finish(tests).await;
    assert_eq!(tests.code, Some(0), "{}\n{}", tests.out, tests.err);
    assert!(tests.out.contains("test result: ok.") && !tests.out.contains("0 passed; 0 failed; 1"), "{}", tests.out);

    let built = in_folder(&project, &host, &["build", "."]).await;
    assert_eq!(built.code, Some(0), "{}", built.err);
    assert!(built.out.trim_end().ends_with("/wasm32-wasip2/release/order_totals.wasm"), "{}", built.out);
    assert!(fs::read(built.out.trim_end()).unwrap().starts_with(b"\0asm"));
    let deployed = in_folder(&project, &host, &["deploy"]).await;
    assert_eq!(deployed.code, Some(0), "{}", deployed.err);
    assert!(
        deployed.err.ends_with(
            "uploaded projection `order_totals`, version 1\nbuild 1 of `order_totals` is active at position 0\n"
        ),
        "{}",
        deployed.err
    );

    // The commands that the crate's own documentation has.
    run(&host, &["append", "order-1", "--type", "OrderPlaced", "--data", r#"{"customer": "ada", "amount": 40}"#]).await;
    let rows = ["query", "order_totals", "customers", "--select", "customer,orders,amount"];
    insta::assert_snapshot!(run(&host, &rows).await.out, @r"
    customer  orders  amount
    ada            1      40
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_a_crate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["build", "deploy"] {
        let mut gnomon = gnomon();
        gnomon.arg(command).arg(folder.path());
        let said = finish(gnomon).await;
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
        let path = folder.path().display();
        assert_eq!(
            said.err,
            format!("error: {path} is not a crate: it has no Cargo.toml; `gnomon new` makes a crate\n")
        );
    }
}

//! The work of an author: `new`, the crate's own tests, `build`, `deploy` and `query`.
//!
//! One test has what `gnomon new` writes by itself, and compiles the SDK that the crate brings along. The others use the SDK of this
//! repository, which is compiled already.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
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

/// The SDK of this repository.
fn with_sdk(arguments: &[&str]) -> Vec<String> {
    let sdk = workspace().join("guest-sdk").display().to_string();
    arguments.iter().map(|argument| (*argument).to_owned()).chain(["--sdk".to_owned(), sdk]).collect()
}

/// A folder that is empty, and the same in each run: crates in it are compiled over what an earlier run has left in the target folder.
fn same_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// The folders of the crates that a crate is built from and that are in no registry.
async fn local_crates(project: &Path) -> Vec<PathBuf> {
    let mut metadata = Command::new(env!("CARGO"));
    // Crates of other platforms are not on the machine.
    metadata.args(["metadata", "--format-version", "1", "--filter-platform", "wasm32-wasip2"]);
    like_workspace(&mut metadata, project);
    let said = finish(metadata).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let metadata: Value = serde_json::from_str(&said.out).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let local = packages.filter(|package| package["source"].is_null());
    let mut folders: Vec<PathBuf> = local
        .map(|package| Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned())
        .collect();
    folders.sort();
    folders
}

async fn finish(mut command: Command) -> Said {
    Said::from(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

async fn in_folder<A: AsRef<OsStr>>(folder: &Path, host: &Host, arguments: &[A]) -> Said {
    let mut command = gnomon();
    command.args(arguments).env("GNOMON_URL", host.url());
    like_workspace(&mut command, folder);
    finish(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_crate_passes_its_tests_and_is_built_deployed_and_queried() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = same_folder("new-crate");
    let project = folder.join("order-totals");
    let made = in_folder(&folder, &host, &["new", "order-totals"]).await;
    assert_eq!((made.code, made.out.as_str()), (Some(0), "order-totals\n"), "{}", made.err);
    let said = format!(
        "made the projection `order_totals`\n\
         it brings the sources of gnomon-sdk {version} along, in vendor/gnomon-sdk; Cargo.toml says how to use crates.io instead\n\
         next:\n  cd {project}\n  cargo test\n  {program} deploy .\n",
        version = env!("CARGO_PKG_VERSION"),
        project = project.display(),
        program = env!("CARGO_BIN_EXE_gnomon"),
    );
    assert_eq!(made.err, said);
    let again = in_folder(&folder, &host, &["new", "order-totals"]).await;
    assert_eq!(again.code, Some(1));
    assert_eq!(again.err, "error: order-totals exists already; choose another name or remove it\n");

    fs::copy(workspace().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    // Nothing of this repository is used.
    let sdk = project.join("vendor/gnomon-sdk");
    let expected = [project.clone(), sdk.clone(), sdk.join("derive"), sdk.join("values")];
    assert_eq!(local_crates(&project).await, expected);
    // With the SDK's sources in it, too. The format of this repository does not count for a folder that lies in it.
    fs::write(folder.join("rustfmt.toml"), "").unwrap();
    let mut formatted = Command::new(env!("CARGO"));
    formatted.args(["fmt", "--all", "--check"]);
    like_workspace(&mut formatted, &project);
    let formatted = finish(formatted).await;
    assert_eq!((formatted.code, formatted.out.as_str()), (Some(0), ""), "{}", formatted.err);
    let mut tests = Command::new(env!("CARGO"));
    tests.arg("test");
    like_workspace(&mut tests, &project);
    let tests = finish(tests).await;
    assert_eq!(tests.code, Some(0), "{}\n{}", tests.out, tests.err);
    assert!(tests.out.contains("test result: ok.") && !tests.out.contains("0 passed; 0 failed; 1"), "{}", tests.out);

    let built = in_folder(&project, &host, &["build", "."]).await;
    assert_eq!(built.code, Some(0), "{}", built.err);
    assert!(built.out.trim_end().ends_with("/wasm32-wasip2/release/components/order_totals.wasm"), "{}", built.out);
    let component = fs::read(built.out.trim_end()).unwrap();
    assert!(component.starts_with(b"\0asm") && component.len() < 1024 * 1024, "{} bytes", component.len());
    // `deploy` runs the tests first.
    let test = project.join("tests/customers.rs");
    let right = fs::read_to_string(&test).unwrap();
    fs::write(&test, right.replace("amount: 42", "amount: 41")).unwrap();
    let refused = in_folder(&project, &host, &["deploy"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{}", refused.err);
    assert!(refused.err.starts_with("running the tests of `order-totals`\n"), "{}", refused.err);
    assert!(refused.err.contains("test orders_add_up ... FAILED"), "{}", refused.err);
    assert!(
        refused.err.ends_with(
            "error: the tests of the crate `order-totals` fail, as the output of cargo above says; nothing is uploaded. --no-test \
             deploys without running them\n"
        ),
        "{}",
        refused.err
    );
    assert_eq!(run(&host, &["modules"]).await.err, "no modules; `gnomon deploy` uploads one\n");
    let untested = in_folder(&project, &host, &["deploy", "--no-test"]).await;
    assert!(untested.code == Some(0) && !untested.err.contains("running the tests"), "{}", untested.err);
    fs::write(&test, right).unwrap();
    let deployed = in_folder(&project, &host, &["deploy", "--json"]).await;
    assert_eq!(deployed.code, Some(0), "{}", deployed.err);
    assert!(deployed.out.starts_with('{'), "stdout is for data: {}", deployed.out);
    assert!(deployed.err.contains("test orders_add_up ... ok"), "{}", deployed.err);
    assert!(
        deployed.err.ends_with(
            "projection `order_totals` is unchanged: version 1 has the same bytes\nbuild 1 of `order_totals` is active at position 0\n"
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

    // A sum that is too large is no wrong row, and the backtrace has the line.
    let most = format!(r#"{{"customer": "ada", "amount": {}}}"#, i64::MAX);
    run(&host, &["append", "order-2", "--type", "OrderPlaced", "--data", &most]).await;
    host.until_state("order_totals", 1, "halted").await;
    let error = host.build("order_totals", 1).await["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("attempt to add with overflow"), "{error:#}");
    let frames = error["backtrace"].as_array().unwrap();
    let own = |frame: &&Value| frame["file"].as_str().is_some_and(|file| file.ends_with("src/lib.rs"));
    let source = fs::read_to_string(project.join("src/lib.rs")).unwrap();
    let sum = 1 + source.lines().position(|line| line.contains("amount +=")).unwrap();
    assert!(frames.iter().filter(own).any(|frame| frame["line"] == sum), "{sum}: {error:#}");
}

/// Modules of one repository share the sources of the SDK.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_module_uses_the_sdk_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for arguments in [&["new", "first"] as &[&str], &["new", "second", "--sdk", "first/vendor/gnomon-sdk"]] {
        let mut new = gnomon();
        new.args(arguments).current_dir(&root);
        let said = finish(new).await;
        assert_eq!(said.code, Some(0), "{}", said.err);
    }
    assert!(!root.join("second/vendor").exists());
    let moved = root.join("moved");
    fs::create_dir(&moved).unwrap();
    for name in ["first", "second"] {
        fs::rename(root.join(name), moved.join(name)).unwrap();
    }
    let second = moved.join("second");
    fs::copy(workspace().join("Cargo.lock"), second.join("Cargo.lock")).unwrap();
    let sdk = moved.join("first/vendor/gnomon-sdk");
    assert_eq!(local_crates(&second).await, [sdk.clone(), sdk.join("derive"), sdk.join("values"), second.clone()]);

    // One workspace of both.
    for name in ["first", "second"] {
        let manifest = moved.join(name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.split_once("[workspace]").unwrap().0).unwrap();
    }
    fs::write(moved.join("Cargo.toml"), "[workspace]\nmembers = [\"first\", \"second\"]\nresolver = \"3\"\n").unwrap();
    fs::rename(second.join("Cargo.lock"), moved.join("Cargo.lock")).unwrap();
    assert_eq!(local_crates(&moved).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_sdk_is_used_where_cargo_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut new = gnomon();
    new.args(["new", "orders", "--published"]).current_dir(&folder);
    // A cargo that has no registry.
    new.env("CARGO_HOME", home.path()).env("CARGO_NET_OFFLINE", "true");
    let refused = finish(new).await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    let version = env!("CARGO_PKG_VERSION");
    let said = format!(
        "error: cargo does not get gnomon-sdk {version} from crates.io; without --published, the new crate brings its sources along. cargo \
         says:\nerror: "
    );
    assert!(refused.err.starts_with(&said), "{}", refused.err);
    assert!(refused.err.contains("gnomon-sdk"), "{}", refused.err);
    assert!(!folder.path().join("orders").exists());

    let mut new = gnomon();
    // A cargo that finds everything.
    new.args(["new", "orders", "--published"]).current_dir(&folder).env("CARGO", "true");
    let made = finish(new).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(made.err.starts_with("made the projection `orders`\nnext:\n"), "{}", made.err);
    let manifest = fs::read_to_string(folder.path().join("orders/Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("\ngnomon-sdk = \"{version}\"\n")), "{manifest}");
    assert!(!folder.path().join("orders/vendor").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_upcaster_passes_its_tests_and_is_deployed_with_the_projection_that_reads_what_it_makes() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder: TempDir = tempfile::tempdir().unwrap();
    in_folder(folder.path(), &host, &with_sdk(&["new", "orders-of-cents"])).await;
    let made = in_folder(folder.path(), &host, &with_sdk(&["new", "--kind", "upcaster", "order-cents"])).await;
    assert_eq!((made.code, made.out.as_str()), (Some(0), "order-cents\n"), "{}", made.err);
    assert!(made.err.starts_with("made the upcaster `order_cents`\nnext:\n  cd /"), "{}", made.err);
    for project in ["orders-of-cents", "order-cents"] {
        fs::copy(workspace().join("Cargo.lock"), folder.path().join(project).join("Cargo.lock")).unwrap();
    }
    let old = ["append", "order-1", "--type", "OrderPlaced", "--data", r#"{"customer": "ada", "amount": 40}"#];
    run(&host, &old).await;

    // The projection that reads the new shape; its tests are about the old one.
    let source = folder.path().join("orders-of-cents/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let placed = "pub struct OrderPlaced {\n    customer: String,\n    amount: i64,";
    assert!(text.contains(placed), "{text}");
    let text = text.replace(placed, "pub struct OrderPlaced {\n    customer: String,\n    cents: i64,");
    let text = text.replace("placed.amount", "placed.cents");
    fs::write(&source, text.replace(r#"#[event("OrderPlaced")]"#, r#"#[event("OrderPlaced", schema_version = 2)]"#))
        .unwrap();
    fs::remove_dir_all(folder.path().join("orders-of-cents/tests")).unwrap();

    let deployed = in_folder(folder.path(), &host, &["deploy", "orders-of-cents", "order-cents", "--json"]).await;
    assert_eq!(deployed.code, Some(0), "{}", deployed.err);
    assert!(deployed.err.contains("test euros_become_cents ... ok"), "{}", deployed.err);
    let said = [
        "uploaded projection `orders_of_cents`, version 1",
        "uploaded upcaster `order_cents`, version 1",
        "upcaster `order_cents` is active in version 1: new builds go through it",
        "builds: `orders_of_cents` (build 1)",
        "build 1 of `orders_of_cents` is active at position 1",
    ];
    assert!(deployed.err.ends_with(&format!("{}\n", said.join("\n"))), "{}", deployed.err);
    let result: Value = serde_json::from_str(&deployed.out).unwrap();
    assert_eq!(result["modules"][1]["kind"], json!("upcaster"));
    let build = json!([{"projection": "orders_of_cents", "build": 1, "state": "active", "checkpoint": 1}]);
    assert_eq!(result["builds"], build);
    let rows = ["query", "orders_of_cents", "customers", "--select", "customer,amount"];
    insta::assert_snapshot!(run(&host, &rows).await.out, @r"
    customer  amount
    ada         4000
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

//! Through the whole host: upload, append, read.

use std::time::Duration;

use gnomon::{runtime::RuntimeLimits, server::ServerSettings};
use serde_json::{Value, json};
use test_support::{Answer, component, guest};

use crate::{host::TestHost, run::LIMITS};

async fn start() -> TestHost {
    let limits = RuntimeLimits { max_batch_time: Duration::from_secs(1), max_memory_bytes: 64 << 20, ..LIMITS };
    let cache = Some(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    TestHost::start(ServerSettings { limits, cache, ..ServerSettings::default() }).await
}

/// Each faulty module halts its own build at the trigger and keeps the rows before it; the build of the bank continues.
#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_fails_halts_its_own_build_only() {
    let host = start().await;
    let guests = ["trap", "unreachable", "endless_handle", "memory_hog", "wrong_row"];
    let mut builds = Vec::new();
    for name in guests {
        builds.push((name, host.deploy(name, guest(name), "").await));
    }
    host.deploy("bank", component("bank"), "").await;

    let money = json!({"amount": 5, "currency": "EUR"});
    let opened = json!({"owner": "Ada", "currency": "EUR"});
    host.append_one("account-1", "AccountOpened", opened).await;
    host.append_one("account-1", "MoneyDeposited", money.clone()).await;
    let trigger = host.append_one("trouble-1", "Trigger", json!("another type")).await;
    assert_eq!(trigger, 3);
    let last = host.append_one("account-1", "MoneyDeposited", money.clone()).await;

    let mut said = Vec::new();
    for (name, build) in builds {
        let build = host.until_state(name, build, "halted").await;
        assert_eq!((&build["checkpoint"], &build["lag"]), (&json!(2), &json!(2)), "{name}: {build}");
        let error = &build["error"];
        let event = json!([error["position"], error["stream"], error["event_type"]]);
        assert_eq!(event, json!([3, "trouble-1", "Trigger"]), "{name}: {build}");
        said.push(format!("{name}: {}: {}", error["kind"].as_str().unwrap(), error["message"].as_str().unwrap()));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    trap: trapped: panicked at tests/guests/examples/trap.rs:34:17: a bug at trouble-1
    unreachable: trapped: wasm trap: wasm `unreachable` instruction executed
    endless_handle: timed_out: it computed for more than 1 s; the limit is max_batch_time
    memory_hog: out_of_memory: it needs 67174400 bytes of memory; the limit max_memory_bytes is 67108864
    wrong_row: broke_contract: table `notes`: column `position` has type i64, but the module passed a value of type text
    ");

    let accounts = host.rows_at("bank/accounts?select=account,balance", last).await;
    assert_eq!(accounts, [json!({"account": "1", "balance": 10})]);
    // It continues after all of them have halted.
    let later = host.append_one("account-1", "MoneyDeposited", money).await;
    let accounts = host.rows_at("bank/accounts?select=account,balance", later).await;
    assert_eq!(accounts, [json!({"account": "1", "balance": 15})]);
    host.stop().await;
}

/// A message with characters that Postgres refuses is stored with escapes.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_postgres_refuses_are_escaped() {
    let host = start().await;
    let build = host.deploy("refuse", guest("refuse"), "").await;
    host.append_one("trouble-1", "Trigger", json!("odd characters")).await;
    let build = host.until_state("refuse", build, "halted").await;
    assert_eq!(build["error"]["message"], json!(r"\u{0}\u{1b}[31mred"));
    host.stop().await;
}

/// Postgres stores the largest and smallest values that are accepted, also in the indexes that are added after a replay.
#[tokio::test(flavor = "multi_thread")]
async fn the_outermost_values_are_stored() {
    let host = start().await;
    let position = host.append_one("trouble-1", "Trigger", json!("outermost")).await;
    let build = host.deploy("wrong_row", guest("wrong_row"), "").await;
    host.until_state("wrong_row", build, "active").await;
    let select = "id,instant,day,local,time,mail,tags,numbers,floats,uuids";
    let rows = host.rows_at(&format!("wrong_row/everything?select={select}"), position).await;
    let filled = |column: &str| rows.iter().filter(|row| row[column] != Value::Null).count();
    let counted = select.split(',').map(filled).collect::<Vec<_>>();
    assert_eq!(counted, [18, 2, 2, 2, 2, 1, 2, 1, 1, 1], "{rows:?}");
    host.stop().await;
}

/// The problem in short: its status, code and detail.
fn problem(answer: &Answer) -> String {
    let word = |field: &str| answer.body[field].as_str().unwrap();
    format!("{} {}: {}", answer.status.as_u16(), word("code"), word("detail"))
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_uploads_change_nothing() {
    let host = start().await;
    let garbage: Vec<u8> = (0..=255_u8).rev().cycle().take(1000).collect();
    let mut said = Vec::new();
    for (name, bytes) in [
        ("garbage", garbage),
        ("core_module", b"\0asm\x01\0\0\0".to_vec()),
        ("other_contract", guest("other_contract")),
        ("endless_describe", guest("endless_describe")),
    ] {
        said.push(problem(&host.upload(name, bytes, "").await));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    422 invalid_module: not a module: it is not WebAssembly: it begins with ff fe fd fc, not with 00 61 73 6d
    422 invalid_module: not a module: it is a core WebAssembly module, not a component; build it for the target wasm32-wasip2
    422 invalid_module: not a module: it is built for contract 0.3, but this host runs contract 0.2: run a newer gnomon, or build it with gnomon-sdk 0.2
    422 invalid_module: not a module: its `describe` failed: the module took too long: it computed for more than 1 s; the limit is max_batch_time
    ");

    // A body without a length is refused when it exceeds the limit.
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 1 << 20]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    assert_eq!(
        problem(&host.upload("garbage", body, "").await),
        "413 body_too_large: the body of the request has 104857600 bytes; the limit max_module_bytes is 33554432"
    );

    assert_eq!(host.json("/v1/projections").await, json!({"projections": []}));
    host.stop().await;
}

//! Invoice numbers: 1, 2, 3 … without a gap, given by whoever is first. The newest invoice is all that the next one depends on.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::decide::{Decided, Hosts};

async fn issue(hosts: &Hosts, clerk: usize) -> Decided {
    let query = json!({"items": [{"types": ["InvoiceIssued"]}]});
    let decide = |newest: Option<&Value>| {
        let number = 1 + newest.map_or(0, |event| event["data"]["number"].as_u64().unwrap());
        let data = json!({"number": number, "clerk": clerk});
        vec![json!({"type": "InvoiceIssued", "data": data, "tags": [format!("invoice:{number}")]})]
    };
    hosts.decide_by_newest(&query, decide).await
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_that_are_issued_at_once_have_consecutive_numbers() {
    const CLERKS: usize = 8;
    const EACH: usize = 20;
    let hosts = Hosts::start().await;
    let work = async |clerk| {
        let mut tries = 0;
        for _ in 0..EACH {
            tries += issue(&hosts, clerk).await.tries;
            // What else happens in the log does not matter to invoices.
            hosts.next().append_one("note-1", "Noted", json!({"clerk": clerk})).await;
        }
        tries
    };
    let tries: usize = join_all((0..CLERKS).map(work)).await.into_iter().sum();
    assert!(tries > CLERKS * EACH, "clerks were in each other's way");

    let log = hosts.log().await;
    let invoices = log.iter().filter(|event| event["type"] == "InvoiceIssued");
    let numbers: Vec<u64> = invoices.map(|event| event["data"]["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=(CLERKS * EACH) as u64).collect::<Vec<_>>());
}

//! Unique usernames: a name belongs to one account at a time, accounts may change theirs, and a name that was given up is free again only
//! after a while.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::decide::{Decided, Hosts, accepted, is, text};

/// Days until a name that was given up is free again.
const KEPT: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Taken,
    NotYours,
}

/// Whose a name is.
#[derive(Clone, Default)]
enum Name {
    #[default]
    Free,
    Of(String),
    /// Given up on this day.
    GivenUp(u32),
}

impl Name {
    fn see(&mut self, name: &str, event: &Value) {
        let account = text(event, "account").to_owned();
        let is_new_name = event["data"]["name"].as_str().is_some_and(|new| tag(new) == tag(name));
        *self = match event["type"].as_str().unwrap() {
            "AccountOpened" => Self::Of(account),
            "NameChanged" if is_new_name => Self::Of(account),
            _ => Self::GivenUp(day(event)),
        };
    }

    fn is_free(&self, today: u32) -> bool {
        match self {
            Self::Free => true,
            Self::Of(_) => false,
            Self::GivenUp(day) => today >= day + KEPT,
        }
    }

    fn is_of(&self, account: &str) -> bool {
        matches!(self, Self::Of(owner) if owner == account)
    }
}

/// The day on which an event happened, according to its writer.
fn day(event: &Value) -> u32 {
    event["time"].as_str().unwrap()[8..10].parse().unwrap()
}

fn tag(name: &str) -> String {
    // `Ada` and `ada` are one name.
    format!("username:{}", name.to_lowercase())
}

fn event(event_type: &str, today: u32, data: Value, names: &[&str]) -> Value {
    let tags: Vec<String> = names.iter().map(|name| tag(name)).collect();
    json!({"type": event_type, "time": format!("2026-01-{today:02}T12:00:00Z"), "data": data, "tags": tags})
}

async fn open(hosts: &Hosts, today: u32, account: &str, name: &str) -> Result<Decided, Refused> {
    let opened = event("AccountOpened", today, json!({"account": account, "name": name}), &[name]);
    let query = json!({"items": [{"tags": [tag(name)]}]});
    let see = |state: &mut Name, event: &Value| state.see(name, event);
    let decide = |state: &Name| if state.is_free(today) { Ok(vec![opened.clone()]) } else { Err(Refused::Taken) };
    hosts.decide(&query, see, decide).await
}

async fn close(hosts: &Hosts, today: u32, account: &str, name: &str) -> Result<Decided, Refused> {
    let closed = event("AccountClosed", today, json!({"account": account}), &[name]);
    let query = json!({"items": [{"tags": [tag(name)]}]});
    let see = |state: &mut Name, event: &Value| state.see(name, event);
    let decide = |state: &Name| if state.is_of(account) { Ok(vec![closed.clone()]) } else { Err(Refused::NotYours) };
    hosts.decide(&query, see, decide).await
}

/// One event takes a name and gives up another one.
async fn change(hosts: &Hosts, today: u32, account: &str, old: &str, new: &str) -> Result<Decided, Refused> {
    let changed = event("NameChanged", today, json!({"account": account, "name": new}), &[old, new]);
    let query = json!({"items": [{"tags": [tag(old)]}, {"tags": [tag(new)]}]});
    let see = |state: &mut [Name; 2], event: &Value| {
        for (state, name) in state.iter_mut().zip([old, new]) {
            let tags = event["tags"].as_array().unwrap();
            if tags.iter().any(|found| *found == tag(name)) {
                state.see(name, event);
            }
        }
    };
    let decide = |[old, new]: &[Name; 2]| {
        if !old.is_of(account) {
            Err(Refused::NotYours)
        } else if !new.is_free(today) {
            Err(Refused::Taken)
        } else {
            Ok(vec![changed.clone()])
        }
    };
    hosts.decide(&query, see, decide).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_of_one_account_and_free_again_a_while_after_it_was_given_up() {
    let hosts = Hosts::start().await;
    open(&hosts, 1, "a1", "ada").await.unwrap();
    assert_eq!(open(&hosts, 1, "a2", "Ada").await.unwrap_err(), Refused::Taken);
    open(&hosts, 1, "a2", "bob").await.unwrap();
    assert_eq!(change(&hosts, 2, "a2", "bob", "ada").await.unwrap_err(), Refused::Taken);
    assert_eq!(change(&hosts, 2, "a2", "ada", "eve").await.unwrap_err(), Refused::NotYours);

    change(&hosts, 2, "a1", "ada", "lovelace").await.unwrap();
    assert_eq!(open(&hosts, 2, "a3", "lovelace").await.unwrap_err(), Refused::Taken);
    assert_eq!(open(&hosts, 2 + KEPT - 1, "a3", "ada").await.unwrap_err(), Refused::Taken);
    open(&hosts, 2 + KEPT, "a3", "ada").await.unwrap();

    close(&hosts, 10, "a3", "ada").await.unwrap();
    assert_eq!(close(&hosts, 10, "a3", "ada").await.unwrap_err(), Refused::NotYours);
    assert_eq!(open(&hosts, 10 + KEPT - 1, "a4", "ada").await.unwrap_err(), Refused::Taken);
    open(&hosts, 10 + KEPT, "a4", "ada").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_a_name_one_gets_it() {
    const ACCOUNTS: usize = 16;
    let hosts = Hosts::start().await;
    let accounts: Vec<String> = (0..ACCOUNTS).map(|number| format!("a{number}")).collect();

    let opened = join_all(accounts.iter().map(|account| open(&hosts, 1, account, "ada"))).await;
    assert_eq!(accepted(opened, &Refused::Taken), 1);

    // The name is given up, and wanted again after the while.
    let log = hosts.log().await;
    let owner = text(log.iter().rfind(|event| is(event, "AccountOpened")).unwrap(), "account");
    close(&hosts, 2, owner, "ada").await.unwrap();
    let opened = join_all(accounts.iter().map(|account| open(&hosts, 9, account, "ada"))).await;
    assert_eq!(accepted(opened, &Refused::Taken), 1);

    // Accounts that have a name want one and the same other name.
    let names: Vec<String> = (0..ACCOUNTS).map(|number| format!("name{number}")).collect();
    for (account, name) in accounts.iter().zip(&names) {
        open(&hosts, 9, account, name).await.unwrap();
    }
    let changes = accounts.iter().zip(&names).map(|(account, name)| change(&hosts, 10, account, name, "best"));
    assert_eq!(accepted(join_all(changes).await, &Refused::Taken), 1);

    // And one account wants many other names at once, of which it can have one.
    open(&hosts, 11, "many", "first").await.unwrap();
    let wanted: Vec<String> = (0..ACCOUNTS).map(|number| format!("wanted{number}")).collect();
    let changes = join_all(wanted.iter().map(|name| change(&hosts, 11, "many", "first", name))).await;
    assert_eq!(accepted(changes, &Refused::NotYours), 1);
}

//! The events of the measurements: a bank, made of numbers, the same in each run.

use uuid::Uuid;

use super::drawn::{self, mix};

/// The most accounts of a bank.
const MOST_ACCOUNTS: u64 = 20_000;
/// Events of an account, in the mean, where there are fewer accounts than that.
const EVENTS_OF_ACCOUNT: u64 = 50;
const CHANNELS: [&str; 4] = ["mobile", "branch", "card", "web"];

/// A bank: each event is a function of its number, so clients share nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bank {
    accounts: u64,
}

/// An event of a bank.
#[derive(Clone, Copy, Debug)]
pub(super) struct BankEvent {
    account: u64,
    /// The type of the event.
    pub(super) event_type: &'static str,
    drawn: u64,
    /// Its id.
    pub(super) id: Uuid,
}

impl Bank {
    /// A bank of 20,000 accounts, or of fewer where there are few events.
    pub(super) fn of_events(events: u64) -> Self {
        Self { accounts: (events / EVENTS_OF_ACCOUNT).clamp(1, MOST_ACCOUNTS) }
    }

    /// A bank in which each of so many events opens another account.
    pub(super) fn of_accounts(accounts: u64) -> Self {
        Self { accounts }
    }

    /// The event of a number: first each account is opened, and then money is moved.
    pub(super) fn event(self, number: u64) -> BankEvent {
        let drawn = drawn::of_event(number);
        let (account, event_type) = match number.checked_sub(self.accounts) {
            None => (number, "AccountOpened"),
            Some(_) if drawn.is_multiple_of(3) => (self.account(drawn), "MoneyWithdrawn"),
            Some(_) => (self.account(drawn), "MoneyDeposited"),
        };
        BankEvent { account, event_type, drawn, id: drawn::id_of_event(number) }
    }

    /// The event of a number when all accounts are open.
    pub(super) fn movement(self, number: u64) -> BankEvent {
        self.event(self.accounts + number)
    }

    /// Such an event, but on the accounts in their order, one after the other.
    pub(super) fn movement_in_order(self, number: u64) -> BankEvent {
        BankEvent { account: number % self.accounts, ..self.movement(number) }
    }

    /// The key of an account that is drawn by a number.
    pub(super) fn key(self, number: u64) -> String {
        key(self.account(mix(number)))
    }

    /// A hundredth of the accounts, the first of which is drawn by a number: their first key, and the one after the last.
    pub(super) fn some_keys(self, number: u64) -> (String, String) {
        let accounts = self.accounts.div_ceil(100);
        let first = mix(number) % (self.accounts - accounts + 1);
        (key(first), key(first + accounts))
    }

    /// The owner of such an account, of the first half of all owners, so that as many come after.
    pub(super) fn owner(self, number: u64) -> String {
        owner(mix(number) % self.accounts.div_ceil(2))
    }

    fn account(self, drawn: u64) -> u64 {
        (drawn >> 8) % self.accounts
    }
}

impl BankEvent {
    /// The event of a number, on an account: it is opened, or money is moved.
    pub(super) fn of_account(account: u64, opens: bool, number: u64) -> Self {
        let drawn = drawn::of_event(number);
        let event_type = match opens {
            true => "AccountOpened",
            false if drawn.is_multiple_of(3) => "MoneyWithdrawn",
            false => "MoneyDeposited",
        };
        Self { account, event_type, drawn, id: drawn::id_of_event(number) }
    }

    /// The stream of the event.
    pub(super) fn stream(&self) -> String {
        format!("account-{}", key(self.account))
    }

    /// The data of the event, JSON.
    pub(super) fn data(&self) -> String {
        let Self { account, event_type, drawn, .. } = self;
        let (channel, reference) = (CHANNELS[(drawn % 4) as usize], mix(*drawn));
        if *event_type == "AccountOpened" {
            let owner = owner(*account);
            format!(r#"{{"owner":"{owner}","currency":"EUR","reference":"{reference:016x}","channel":"{channel}"}}"#)
        } else {
            let amount = self.amount();
            format!(r#"{{"amount":{amount},"currency":"EUR","reference":"{reference:016x}","channel":"{channel}"}}"#)
        }
    }

    /// The event as an append takes it; the host gives it an id.
    pub(super) fn to_append(self) -> String {
        format!(r#"{{"type":"{}","data":{}}}"#, self.event_type, self.data())
    }

    /// The event as a line of an import.
    pub(super) fn to_line(self) -> String {
        let Self { event_type, id, .. } = self;
        let (stream, data) = (self.stream(), self.data());
        format!(r#"{{"stream":"{stream}","type":"{event_type}","id":"{id}","data":{data}}}"#)
    }

    /// The account's row of the projection, as far as this event changes it: the key, the owner, and the change of the balance.
    pub(super) fn to_change(self) -> (String, String, i64) {
        let sign = match self.event_type {
            "AccountOpened" => 0,
            "MoneyWithdrawn" => -1,
            _ => 1,
        };
        (key(self.account), owner(self.account), sign * self.amount())
    }

    fn amount(&self) -> i64 {
        (self.drawn % 100_000) as i64 + 1
    }
}

fn key(account: u64) -> String {
    format!("{account:06}")
}

fn owner(account: u64) -> String {
    format!("owner-{account:06}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn accounts_are_opened_before_money_is_moved_on_them() {
        let bank = Bank::of_events(5_000);
        let line = |number| serde_json::from_str(&bank.event(number).to_line()).unwrap();
        let lines: Vec<Value> = (0..5_000).map(line).collect();
        let opened = |line: &&Value| line["type"] == "AccountOpened";
        assert_eq!(
            (lines.len(), lines.iter().take_while(opened).count(), lines.iter().filter(opened).count()),
            (5_000, 100, 100)
        );
        let of = |name: &str| -> HashSet<String> { lines.iter().map(|line| line[name].to_string()).collect() };
        assert_eq!((of("id").len(), of("stream").len(), of("type").len()), (5_000, 100, 3));
        assert!(lines.iter().skip(100).all(|line| line["data"]["amount"].as_u64().unwrap() > 0));
    }

    #[test]
    fn a_hundredth_of_the_accounts_is_as_many_whichever_it_is() {
        for (accounts, expected) in [(20_000, 200), (150, 2), (12, 1), (1, 1)] {
            let bank = Bank::of_accounts(accounts);
            for number in 0..50 {
                let (first, end) = bank.some_keys(number);
                let [first, end]: [u64; 2] = [first, end].map(|key| key.parse().unwrap());
                assert!(end <= accounts && end - first == expected, "{first} {end} of {accounts}");
            }
        }
    }

    #[test]
    fn the_events_are_the_same_in_each_run() {
        let event = Bank::of_events(1_000_000).movement(7);
        insta::assert_snapshot!(format!("{} {} {}", event.stream(), event.id, event.to_append()), @r#"account-005129 2eb65ceb-29bb-4159-8000-000000004e27 {"type":"MoneyWithdrawn","data":{"amount":13094,"currency":"EUR","reference":"2eb65ceb29bba159","channel":"branch"}}"#);
    }

    #[test]
    fn each_event_can_have_an_account_of_its_own() {
        let bank = Bank::of_accounts(300);
        let streams: HashSet<String> = (0..300).map(|number| bank.event(number).stream()).collect();
        assert_eq!(streams.len(), 300);
        let moved: HashSet<String> = (700..1000).map(|number| bank.movement_in_order(number).stream()).collect();
        assert_eq!(moved, streams);
        assert!(bank.owner(5) <= owner(150) && bank.key(5) < key(300));
    }
}

//! The events of the measurements: a bank, made of numbers, the same in each run.

use std::{
    fmt::Write,
    io::{self, Read},
};

use uuid::{Builder, Uuid};

/// The most accounts of a bank.
const MOST_ACCOUNTS: u64 = 20_000;
/// Events of an account, in the mean, where there are fewer accounts than that.
const EVENTS_OF_ACCOUNT: u64 = 50;
/// From which all numbers are drawn.
const SEED: u64 = 14;
const CHANNELS: [&str; 4] = ["mobile", "branch", "card", "web"];
/// Lines that are made at a time.
const LINES: u64 = 1_000;

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
        let drawn = mix(SEED ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let id = Builder::from_random_bytes(
            u128::from(mix(drawn)).rotate_left(64).wrapping_add(number.into()).to_be_bytes(),
        );
        let (account, event_type) = match number.checked_sub(self.accounts) {
            None => (number, "AccountOpened"),
            Some(_) if drawn.is_multiple_of(3) => (self.account(drawn), "MoneyWithdrawn"),
            Some(_) => (self.account(drawn), "MoneyDeposited"),
        };
        BankEvent { account, event_type, drawn, id: id.into_uuid() }
    }

    /// The event of a number when all accounts are open.
    pub(super) fn movement(self, number: u64) -> BankEvent {
        self.event(self.accounts + number)
    }

    /// The key of an account that is drawn by a number.
    pub(super) fn key(self, number: u64) -> String {
        key(self.account(mix(number)))
    }

    /// The owner of such an account, of the first half of all owners, so that as many come after.
    pub(super) fn owner(self, number: u64) -> String {
        owner(mix(number) % self.accounts.div_ceil(2))
    }

    fn account(self, drawn: u64) -> u64 {
        (drawn >> 8) % self.accounts
    }

    /// The first events of the bank, as the lines of an import.
    pub(super) fn lines(self, events: u64) -> impl Read + Send + 'static {
        Lines { bank: self, next: 0, events, text: Vec::new(), read: 0 }
    }
}

impl BankEvent {
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
            let amount = drawn % 100_000 + 1;
            format!(r#"{{"amount":{amount},"currency":"EUR","reference":"{reference:016x}","channel":"{channel}"}}"#)
        }
    }

    /// The event as an append takes it; the host gives it an id.
    pub(super) fn to_append(self) -> String {
        format!(r#"{{"type":"{}","data":{}}}"#, self.event_type, self.data())
    }

    fn write_line(&self, text: &mut String) {
        let Self { event_type, id, .. } = self;
        let (stream, data) = (self.stream(), self.data());
        // Writing to a text does not fail.
        let _ = writeln!(text, r#"{{"stream":"{stream}","type":"{event_type}","id":"{id}","data":{data}}}"#);
    }
}

fn key(account: u64) -> String {
    format!("{account:06}")
}

fn owner(account: u64) -> String {
    format!("owner-{account:06}")
}

/// A number that is drawn by another one: the finaliser of `SplitMix64`.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Lines that are made while they are read.
struct Lines {
    bank: Bank,
    next: u64,
    events: u64,
    text: Vec<u8>,
    read: usize,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.text.len() {
            let mut text = String::from_utf8(std::mem::take(&mut self.text)).unwrap_or_default();
            text.clear();
            let end = self.events.min(self.next + LINES);
            (self.next..end).for_each(|number| self.bank.event(number).write_line(&mut text));
            (self.next, self.text, self.read) = (end, text.into_bytes(), 0);
        }
        let copied = (&self.text[self.read..]).read(buffer)?;
        self.read += copied;
        Ok(copied)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn accounts_are_opened_before_money_is_moved_on_them() {
        let mut text = String::new();
        Bank::of_events(5_000).lines(5_000).read_to_string(&mut text).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
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
    fn the_events_are_the_same_in_each_run() {
        let event = Bank::of_events(1_000_000).movement(7);
        insta::assert_snapshot!(format!("{} {} {}", event.stream(), event.id, event.to_append()), @r#"account-005129 2eb65ceb-29bb-4159-8000-000000004e27 {"type":"MoneyWithdrawn","data":{"amount":13094,"currency":"EUR","reference":"2eb65ceb29bba159","channel":"branch"}}"#);
    }

    #[test]
    fn each_event_can_have_an_account_of_its_own() {
        let bank = Bank::of_accounts(300);
        let streams: HashSet<String> = (0..300).map(|number| bank.event(number).stream()).collect();
        assert_eq!(streams.len(), 300);
        assert!(bank.owner(5) <= owner(150) && bank.key(5) < key(300));
    }
}

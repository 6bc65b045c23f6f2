use std::{cell::RefCell, rc::Rc};

use gnomon_values::limits::LARGE_ROW_BYTES;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::*;
use crate::{Json, schema::Value};

#[derive(crate::Table, Clone, Debug, PartialEq)]
#[table("accounts")]
#[index("by_owner", columns(owner))]
struct Account {
    #[key]
    account: String,
    owner: String,
    balance: u8,
}

#[derive(crate::Table)]
#[table("documents")]
struct Document {
    #[key]
    shelf: i64,
    #[key]
    slot: Uuid,
    text: Json<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Text {
    kept: i64,
    #[serde(skip)]
    lost: i64,
}

#[derive(crate::Table)]
#[table("notes")]
struct Note {
    #[key]
    note: i64,
    text: String,
}

/// Records the calls to it, and returns the rows that it was given.
#[derive(Clone, Default)]
struct RecordingHost(Rc<RefCell<Recorded>>);

#[derive(Default)]
struct Recorded {
    calls: Vec<String>,
    answers: Vec<Vec<Value>>,
}

impl RecordingHost {
    fn record(&self, call: &str, table: &str, cells: &[Vec<Value>]) {
        let shown = |cells: &Vec<Value>| cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let cells = cells.iter().map(shown).collect::<Vec<_>>().join(" ");
        self.0.borrow_mut().calls.push(format!("{call} {table} {cells}"));
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().calls)
    }

    fn answer(&self, rows: Vec<Vec<Value>>) {
        self.0.borrow_mut().answers = rows;
    }
}

impl Host for RecordingHost {
    fn turn_to(&mut self, _position: u64) {}

    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<Vec<Option<Vec<Value>>>, Failure> {
        self.record("get", table, &keys);
        let answers = &self.0.borrow().answers;
        Ok(keys.iter().map(|key| answers.iter().find(|row| row.starts_with(key)).cloned()).collect())
    }

    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) -> Result<(), Failure> {
        self.record("put", table, &rows);
        Ok(())
    }

    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<(), Failure> {
        self.record("delete", table, &keys);
        Ok(())
    }

    fn find(
        &mut self,
        table: &'static str,
        index: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Failure> {
        self.record(&format!("find {index}"), table, &[values]);
        Ok(self.0.borrow().answers.clone())
    }
}

fn rows() -> (Rows, RecordingHost) {
    let host = RecordingHost::default();
    (Rows::new::<(Account, Document, Note)>(Box::new(host.clone())), host)
}

fn account(account: &str, owner: &str, balance: u8) -> Account {
    Account { account: account.into(), owner: owner.into(), balance }
}

fn cells(account: &str, owner: &str, balance: i64) -> Vec<Value> {
    vec![Value::Text(account.into()), Value::Text(owner.into()), Value::I64(balance)]
}

fn end_batch(rows: &mut Rows) {
    rows.settle().unwrap();
    rows.flush().unwrap();
}

#[test]
fn a_row_is_fetched_once_and_kept_over_batches() {
    let (mut rows, host) = rows();
    host.answer(vec![cells("1", "ann", 5)]);
    assert_eq!(rows.get::<Account>("1"), Some(&account("1", "ann", 5)));
    assert_eq!(rows.get::<Account>("2"), None);
    end_batch(&mut rows);
    assert_eq!(rows.get::<Account>("1"), Some(&account("1", "ann", 5)));
    assert_eq!(rows.get_mut::<Account>("2"), None);
    end_batch(&mut rows);
    assert_eq!(host.calls(), [r#"get accounts "1""#, r#"get accounts "2""#]);
}

#[test]
fn wanted_rows_are_fetched_together() {
    let (mut rows, host) = rows();
    host.answer(vec![cells("1", "ann", 5)]);
    let slot = Uuid::nil();
    rows.prefetch(|prefetch| {
        for key in ["1", "2", "1"] {
            prefetch.want::<Account>(key);
        }
        prefetch.want::<Document>((7, slot));
    });
    assert_eq!(rows.get::<Account>("1").map(|row| row.balance), Some(5));
    assert_eq!(rows.get::<Account>("2"), None);
    assert!(rows.get::<Document>((7, slot)).is_none());
    rows.prefetch(|prefetch| prefetch.want::<Account>("1"));
    assert_eq!(host.calls(), [r#"get accounts "1" "2""#, &format!("get documents 7,{slot}")]);
}

#[test]
fn changes_are_written_once_per_batch_in_their_order() {
    let (mut rows, host) = rows();
    host.answer(vec![cells("1", "ann", 5), cells("2", "bob", 6)]);
    rows.put(account("3", "cid", 1));
    for _ in 0..3 {
        rows.get_or_insert_with::<Account>("1", || account("1", "nobody", 0)).balance += 1;
        rows.settle().unwrap();
    }
    rows.delete::<Account>("2");
    rows.delete::<Account>("3");
    rows.put(account("3", "cid", 2));
    assert_eq!(host.calls(), [r#"get accounts "1""#], "a row that is put or deleted need not be fetched");
    end_batch(&mut rows);
    assert_eq!(host.calls(), [r#"put accounts "3","cid",2 "1","ann",8"#, r#"delete accounts "2""#]);
    rows.get::<Account>("1");
    rows.get::<Account>("2");
    end_batch(&mut rows);
    assert!(host.calls().is_empty(), "nothing was changed");
}

#[test]
fn a_search_writes_earlier_changes_first() {
    let (mut rows, host) = rows();
    rows.put(account("1", "ann", 5));
    host.answer(vec![cells("1", "ann", 5), cells("2", "ann", 6)]);
    assert_eq!(rows.find(Account::by_owner("ann")), [account("1", "ann", 5), account("2", "ann", 6)]);
    rows.get_mut::<Account>("2").unwrap().balance = 7;
    end_batch(&mut rows);
    assert_eq!(
        host.calls(),
        [r#"put accounts "1","ann",5"#, r#"find by_owner accounts "ann""#, r#"put accounts "2","ann",7"#]
    );
}

#[test]
fn a_changed_key_is_a_failure() {
    let (mut rows, _) = rows();
    rows.put(account("1", "ann", 5));
    rows.settle().unwrap();
    rows.get_mut::<Account>("1").unwrap().account = "2".into();
    let expected = "the row (\"1\") of `accounts`: its key was changed to (\"2\"); delete the row and put a row with the \
                    other key instead";
    assert_eq!(rows.settle(), Err(Failure::new(expected)));
}

#[test]
fn a_row_that_does_not_fit_ends_the_event() {
    let (mut rows, host) = rows();
    host.answer(vec![cells("1", "ann", 256)]);
    assert_eq!(rows.get::<Account>("1"), None);
    let expected = "the row (\"1\") of `accounts`: column `balance`: 256 does not fit u8";
    assert_eq!(rows.settle(), Err(Failure::new(expected)));
    assert!(rows.find(Account::by_owner("ann")).is_empty());
    assert_eq!(rows.settle(), Err(Failure::new("a row of `accounts`: column `balance`: 256 does not fit u8")));
}

#[test]
fn rows_beyond_the_limit_are_evicted_old_ones_first() {
    let (mut rows, host) = rows();
    rows.put(account("1", &"x".repeat(2_000), 1));
    end_batch(&mut rows);
    rows.put(account("2", &"x".repeat(2_000), 2));
    rows.settle().unwrap();
    rows.cache.tables.iter_mut().try_for_each(|cached| cached.rows.flush(&mut host.clone())).unwrap();
    host.calls();

    rows.cache.evict(5_500);
    rows.get::<Account>("1");
    rows.get::<Account>("2");
    assert!(host.calls().is_empty(), "there was room for both");

    rows.cache.batch += 1;
    rows.get::<Account>("2");
    rows.cache.evict(3_500);
    rows.get::<Account>("2");
    assert!(host.calls().is_empty(), "the row of this batch stays");
    rows.get::<Account>("1");
    assert_eq!(host.calls(), [r#"get accounts "1""#]);

    rows.cache.evict(1_200);
    rows.get::<Account>("2");
    assert_eq!(host.calls(), [r#"get accounts "2""#]);
}

#[test]
fn events_find_their_rows_in_whatever_order_they_were_wanted() {
    let (mut rows, _host) = rows();
    for number in 1..=4_u8 {
        rows.put(account(&number.to_string(), "ann", number));
    }
    rows.settle().unwrap();
    rows.flush().unwrap();
    rows.end_batch();
    rows.prefetch(|prefetch| ["1", "2", "3"].into_iter().for_each(|key| prefetch.want::<Account>(key)));
    for key in ["1", "1", "3", "4", "2", "1", "3", "2"] {
        assert_eq!(rows.get::<Account>(key).map(|row| row.account.as_str()), Some(key));
    }
}

#[test]
fn a_row_that_is_wanted_is_of_the_batch_and_is_found_after_others_were_evicted() {
    let (mut rows, host) = rows();
    rows.put(account("1", &"x".repeat(2_000), 1));
    rows.put(account("2", &"x".repeat(2_000), 2));
    rows.settle().unwrap();
    rows.flush().unwrap();
    rows.end_batch();
    host.calls();

    rows.prefetch(|prefetch| prefetch.want::<Account>("2"));
    rows.cache.evict(3_500);
    assert_eq!(rows.get::<Account>("2").map(|row| row.balance), Some(2));
    assert!(host.calls().is_empty(), "the row that is wanted stays");
    rows.get::<Account>("1");
    assert_eq!(host.calls(), [r#"get accounts "1""#]);
}

#[test]
fn a_row_equals_what_the_host_would_return_after_each_event() {
    let (mut rows, host) = rows();
    let slot = Uuid::from_u128(1);
    rows.put(Document { shelf: 1, slot, text: Json(Text { kept: 1, lost: 2 }) });
    assert_eq!(rows.get::<Document>((1, slot)).map(|row| row.text.0), Some(Text { kept: 1, lost: 2 }));
    rows.settle().unwrap();
    assert_eq!(rows.get::<Document>((1, slot)).map(|row| row.text.0), Some(Text { kept: 1, lost: 0 }));
    end_batch(&mut rows);
    assert_eq!(host.calls(), [format!(r#"put documents 1,{slot},{{"kept":1}}"#)]);
}

#[test]
fn a_large_row_is_written_at_its_event_and_not_again() {
    let (mut rows, host) = rows();
    let put = |rows: &mut Rows, kept: usize| {
        let text = Json(Text { kept: 1, lost: 2 });
        rows.put(Document { shelf: 1, slot: Uuid::nil(), text });
        rows.put(Note { note: 1, text: "x".repeat(kept) });
        rows.settle().unwrap();
    };
    put(&mut rows, LARGE_ROW_BYTES);
    let calls = host.calls();
    assert_eq!(calls.len(), 1, "the small row waits");
    assert!(calls[0].starts_with("put notes 1,\"xxx"), "{}", &calls[0][..40]);
    put(&mut rows, 3);
    assert!(host.calls().is_empty(), "it is small again");
    end_batch(&mut rows);
    let null = "00000000-0000-0000-0000-000000000000";
    assert_eq!(host.calls(), [format!("put documents 1,{null},{{\"kept\":1}}"), "put notes 1,\"xxx\"".to_owned()]);
    put(&mut rows, LARGE_ROW_BYTES);
    host.calls();
    end_batch(&mut rows);
    assert_eq!(host.calls(), [format!("put documents 1,{null},{{\"kept\":1}}")]);
}

#[test]
fn rows_that_no_host_accepts_fail_at_their_event() {
    let long = "x".repeat(2_401);
    let failure = |work: &dyn Fn(&mut Rows)| {
        let (mut rows, host) = rows();
        work(&mut rows);
        let failure = rows.settle().unwrap_err().to_string();
        assert!(host.calls().is_empty(), "{failure}");
        failure
    };
    let key = format!(
        "the row (\"{}…) of `accounts`: the values of the key have 2401 bytes; an index holds at most 2400 (put a digest \
         there instead)",
        "x".repeat(99)
    );
    assert_eq!(failure(&|rows| rows.put(account(&long, "ann", 1))), key);
    assert_eq!(failure(&|rows| rows.delete::<Account>(&long)), key);
    assert_eq!(failure(&|rows| drop(rows.get::<Account>(&long).cloned())), key);
    let index = failure(&|rows| rows.put(account("1", &long, 1)));
    assert!(index.contains("of `accounts`: the values of index `by_owner` have 2401 bytes"), "{index}");
    let nul = "the text contains NUL (\\0), which Postgres cannot hold";
    assert!(failure(&|rows| rows.delete::<Account>("a\0")).ends_with(nul));
    assert!(failure(&|rows| drop(rows.get::<Account>("a\0").cloned())).ends_with(nul));
    let find = failure(&|rows| drop(rows.find(Account::by_owner("a\0"))));
    assert_eq!(find, format!("index `by_owner` of `accounts`: {nul}"));
}

#[test]
fn a_failed_event_makes_no_more_calls_to_the_host() {
    let (mut rows, host) = rows();
    rows.put(account("1", &"x".repeat(2_401), 1));
    assert!(rows.find(Account::by_owner("ann")).is_empty());
    assert!(rows.find(Account::by_owner("ann")).is_empty());
    assert!(rows.get::<Account>("2").is_none());
    assert!(host.calls().is_empty());
    assert!(rows.settle().is_err_and(|failure| failure.to_string().contains("have 2401 bytes")));
}

#[test]
fn a_key_that_no_row_can_have_may_be_prefetched() {
    let (mut rows, host) = rows();
    rows.prefetch(|prefetch| {
        prefetch.want::<Account>("a\0");
        prefetch.want::<Account>("1");
    });
    assert_eq!(host.calls(), [r#"get accounts "1""#]);
    rows.settle().unwrap();
}

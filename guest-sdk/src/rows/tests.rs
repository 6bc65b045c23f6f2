use std::{cell::RefCell, rc::Rc};

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
    place: Uuid,
    text: Json<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Text {
    kept: i64,
    #[serde(skip)]
    lost: i64,
}

/// Writes down what it is asked, and answers as it was told.
#[derive(Clone, Default)]
struct Notebook(Rc<RefCell<Notes>>);

#[derive(Default)]
struct Notes {
    calls: Vec<String>,
    answers: Vec<Vec<Value>>,
}

impl Notebook {
    fn note(&self, call: &str, table: &str, cells: &[Vec<Value>]) {
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

impl Host for Notebook {
    fn turn_to(&mut self, _position: u64) {}

    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Vec<Option<Vec<Value>>> {
        self.note("get", table, &keys);
        let answers = &self.0.borrow().answers;
        keys.iter().map(|key| answers.iter().find(|row| row.starts_with(key)).cloned()).collect()
    }

    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) {
        self.note("put", table, &rows);
    }

    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) {
        self.note("delete", table, &keys);
    }

    fn find(&mut self, table: &'static str, index: &'static str, values: Vec<Value>) -> Vec<Vec<Value>> {
        self.note(&format!("find {index}"), table, &[values]);
        self.0.borrow().answers.clone()
    }
}

fn rows() -> (Rows, Notebook) {
    let host = Notebook::default();
    (Rows::new::<(Account, Document)>(Box::new(host.clone())), host)
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
    let place = Uuid::nil();
    for key in ["1", "2", "1"] {
        rows.keys().want::<Account>(key);
    }
    rows.keys().want::<Document>((7, place));
    rows.fetch_wanted();
    assert_eq!(rows.get::<Account>("1").map(|row| row.balance), Some(5));
    assert_eq!(rows.get::<Account>("2"), None);
    assert!(rows.get::<Document>((7, place)).is_none());
    rows.keys().want::<Account>("1");
    rows.fetch_wanted();
    assert_eq!(host.calls(), [r#"get accounts "1" "2""#, &format!("get documents 7,{place}")]);
}

#[test]
fn changes_are_written_once_a_batch_in_their_order() {
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
fn to_find_is_to_write_first() {
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
    let expected = "the row (\"1\") of `accounts`: its key was changed to (\"2\"); delete the row and put it anew under \
                    the other key instead";
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
fn rows_beyond_the_bound_are_forgotten_old_ones_first() {
    let (mut rows, host) = rows();
    rows.put(account("1", &"x".repeat(10_000), 1));
    end_batch(&mut rows);
    rows.put(account("2", &"x".repeat(10_000), 2));
    rows.settle().unwrap();
    rows.keys.tables.iter_mut().try_for_each(|keep| keep.kept.flush(&mut host.clone())).unwrap();
    host.calls();

    rows.keys.sweep(25_000);
    rows.get::<Account>("1");
    rows.get::<Account>("2");
    assert!(host.calls().is_empty(), "there was room for both");

    rows.keys.batch += 1;
    rows.get::<Account>("2");
    rows.keys.sweep(15_000);
    rows.get::<Account>("2");
    assert!(host.calls().is_empty(), "the row of this batch stays");
    rows.get::<Account>("1");
    assert_eq!(host.calls(), [r#"get accounts "1""#]);

    rows.keys.sweep(5_000);
    rows.get::<Account>("2");
    assert_eq!(host.calls(), [r#"get accounts "2""#]);
}

#[test]
fn a_row_is_what_the_host_would_give_back_after_each_event() {
    let (mut rows, host) = rows();
    let place = Uuid::from_u128(1);
    rows.put(Document { shelf: 1, place, text: Json(Text { kept: 1, lost: 2 }) });
    assert_eq!(rows.get::<Document>((1, place)).map(|row| row.text.0), Some(Text { kept: 1, lost: 2 }));
    rows.settle().unwrap();
    assert_eq!(rows.get::<Document>((1, place)).map(|row| row.text.0), Some(Text { kept: 1, lost: 0 }));
    end_batch(&mut rows);
    assert_eq!(host.calls(), [format!(r#"put documents 1,{place},{{"kept":1}}"#)]);
}

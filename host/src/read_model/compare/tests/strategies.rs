//! Random tables, and random changes to them.

use std::sync::Arc;

use proptest::{prelude::*, sample::select};

use super::Filled;
use crate::read_model::{
    CanonicalJson, ColumnDeclaration, ColumnType, Row, Table, TableDeclaration, Value,
    samples::{self, value},
};

/// Some are keywords of SQL, some are aliases in the host's statements.
const COLUMNS: [&str; 8] = ["id", "user", "left", "d0", "l", "before", "cells", "found"];

/// A column without its name.
#[derive(Clone, Debug)]
struct Shape {
    column_type: ColumnType,
    nullable: bool,
    in_key: bool,
}

/// How a column changes on the right.
#[derive(Clone, Debug)]
enum Edit {
    Keep,
    Drop,
    Retype(ColumnType),
    Nullable,
    LeaveKey,
}

/// How a row changes on the right.
#[derive(Clone, Debug)]
enum RowEdit {
    Keep,
    Drop,
    Change { column: usize, by: usize },
}

/// Two sides of up to three tables.
pub(super) fn sides() -> impl Strategy<Value = (Vec<Filled>, Vec<Filled>)> {
    let present = prop_oneof![1 => Just((true, false)), 1 => Just((false, true)), 6 => Just((true, true))];
    prop::collection::vec((present, pair()), 1..4).prop_map(|pairs| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (number, ((on_left, on_right), (one, other))) in pairs.into_iter().enumerate() {
            let named = |filled: (TableDeclaration, Vec<Row>)| {
                let declaration = TableDeclaration { name: format!("table_{number}"), ..filled.0 };
                Filled { table: Arc::new(Table::check(&declaration).unwrap()), rows: filled.1 }
            };
            left.extend(on_left.then(|| named(one)));
            right.extend(on_right.then(|| named(other)));
        }
        // The order of the tables does not matter.
        right.reverse();
        (left, right)
    })
}

type Side = (TableDeclaration, Vec<Row>);

fn pair() -> impl Strategy<Value = (Side, Side)> {
    let shape = (select(&ColumnType::ALL[..]), any::<bool>(), any::<bool>())
        .prop_map(|(column_type, nullable, in_key)| Shape { column_type, nullable, in_key });
    let edit = prop_oneof![
        24 => Just(Edit::Keep),
        1 => Just(Edit::Drop),
        1 => select(&ColumnType::ALL[..]).prop_map(Edit::Retype),
        1 => Just(Edit::Nullable),
        1 => Just(Edit::LeaveKey),
    ];
    let columns = prop::collection::vec((shape, edit), 1..COLUMNS.len());
    (columns, prop::bool::weighted(0.1), prop::bool::weighted(0.2)).prop_flat_map(|(columns, adds, turns)| {
        let names = || COLUMNS.iter().map(|name| (*name).to_owned());
        let left = declaration(names().zip(columns.iter().map(|(shape, _)| shape.clone())));
        let edited = names().zip(&columns).filter_map(|(name, (shape, edit))| Some((name, edited(shape, edit)?)));
        let added = Shape { column_type: ColumnType::Json, nullable: true, in_key: false };
        let mut right = declaration(edited.chain(adds.then(|| (COLUMNS[COLUMNS.len() - 1].to_owned(), added))));
        if turns {
            right.key.reverse();
            right.columns.reverse();
        }
        let row_edit = prop_oneof![
            4 => Just(RowEdit::Keep),
            1 => Just(RowEdit::Drop),
            2 => (any::<usize>(), any::<usize>()).prop_map(|(column, by)| RowEdit::Change { column, by }),
        ];
        let rows = (
            prop::collection::vec((row(&left), row_edit), 0..14),
            prop::collection::vec(row(&right), 0..5),
            row(&right),
        );
        rows.prop_map(move |(rows, fresh, spare)| {
            let carried = rows.iter().filter_map(|(row, edit)| carried((&left, row), &right, edit, &fresh, &spare));
            let right_rows: Vec<Row> = carried.chain(fresh.iter().cloned()).collect();
            let left_rows = rows.iter().map(|(row, _)| row.clone()).collect();
            ((left.clone(), left_rows), (right.clone(), right_rows))
        })
    })
}

/// A row of the left with the columns of the right. Cells that the left row does not have come from `spare`.
fn carried(
    (left, row): (&TableDeclaration, &Row),
    right: &TableDeclaration,
    edit: &RowEdit,
    fresh: &[Row],
    spare: &Row,
) -> Option<Row> {
    let cell = |(index, column): (usize, &ColumnDeclaration)| {
        let same = |other: &&(usize, &ColumnDeclaration)| {
            other.1.name == column.name && other.1.column_type == column.column_type
        };
        let columns: Vec<_> = left.columns.iter().enumerate().collect();
        let own = columns.iter().find(same).map(|(index, _)| &row[*index]);
        own.filter(|cell| column.nullable || **cell != Value::Null).unwrap_or(&spare[index]).clone()
    };
    let mut row: Row = right.columns.iter().enumerate().map(cell).collect();
    match edit {
        RowEdit::Keep => {}
        RowEdit::Drop => return None,
        RowEdit::Change { column, by } => {
            let index = column % row.len();
            row[index] = fresh.get(by % (fresh.len() + 1)).unwrap_or(spare)[index].clone();
        }
    }
    Some(row)
}

fn edited(shape: &Shape, edit: &Edit) -> Option<Shape> {
    let mut shape = shape.clone();
    match edit {
        Edit::Keep => {}
        Edit::Drop => return None,
        Edit::Retype(column_type) => shape.column_type = *column_type,
        Edit::Nullable => shape.nullable = !shape.nullable,
        Edit::LeaveKey => shape.in_key = false,
    }
    Some(shape)
}

/// A valid declaration: if no column can be in the key, one is added that can.
fn declaration(columns: impl Iterator<Item = (String, Shape)>) -> TableDeclaration {
    let mut key = Vec::new();
    let mut declared = Vec::new();
    for (name, shape) in columns {
        let Shape { column_type, nullable, in_key } = shape;
        let in_key = in_key && column_type.not_a_key().is_none();
        key.extend(in_key.then(|| name.clone()));
        declared.push(ColumnDeclaration { nullable: nullable && !in_key, ..samples::column(&name, column_type) });
    }
    if key.is_empty() {
        let column = samples::column("number", ColumnType::I64);
        key.push(column.name.clone());
        declared.push(column);
    }
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    samples::declaration("t", declared, &key)
}

fn row(declaration: &TableDeclaration) -> impl Strategy<Value = Row> + use<> {
    let cell = |column: &ColumnDeclaration| {
        let value = match column.column_type {
            // Equal as jsonb, but not to the comparison.
            ColumnType::Json => {
                let number = Just(Value::Json(CanonicalJson::parse("1.0").unwrap()));
                prop_oneof![3 => value(ColumnType::Json), 1 => number].boxed()
            }
            column_type => value(column_type),
        };
        if column.nullable { prop_oneof![1 => Just(Value::Null), 3 => value].boxed() } else { value }
    };
    declaration.columns.iter().map(cell).collect::<Vec<_>>()
}

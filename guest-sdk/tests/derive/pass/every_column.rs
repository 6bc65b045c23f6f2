use gnomon_sdk::{
    Column,
    prelude::*,
    schema::{ColumnType, IndexKind},
    serde_json,
};
use std::collections::{BTreeMap, HashSet};

#[derive(Table)]
#[table("everything")]
#[index("by_optional", columns(optional))]
#[index("by_numbers", columns(float, small, decimal, flag))]
#[index("by_others", columns(day, bytes, state, id))]
#[index("by_times", columns(local, at, optional_at))]
#[index("by_mail", columns(mail))]
#[index("by_elements", gin(tags, numbers, floats, ids, optional_tags, json))]
#[index("by_words", full_text(language = "english", columns(optional = "A", mail)))]
pub struct Everything {
    #[key]
    text: String,
    #[key]
    day: Date,
    #[key]
    state: State,
    #[key]
    id: Uuid,
    #[key]
    bytes: Vec<u8>,
    small: u8,
    #[key]
    decimal: Decimal,
    flag: bool,
    #[key]
    local: LocalTimestamp,
    #[key]
    at: TimeOfDay,
    float: f64,
    time: Timestamp,
    optional: Option<String>,
    optional_state: Option<State>,
    json: Json<BTreeMap<String, i64>>,
    value: serde_json::Value,
    optional_json: Option<Json<Vec<Option<i64>>>>,
    mail: CiText,
    tags: Vec<String>,
    numbers: Vec<i64>,
    floats: Vec<f64>,
    ids: Vec<Uuid>,
    optional_mail: Option<CiText>,
    optional_at: Option<TimeOfDay>,
    optional_local: Option<LocalTimestamp>,
    optional_tags: Option<Vec<String>>,
    #[column("renamed")]
    r#type: i32,
}

#[derive(TextEnum)]
pub enum State {
    #[text("")]
    Unknown,
    #[text("on the ground")]
    OnTheGround,
}

fn main() {
    let schema = Everything::SCHEMA;
    assert_eq!(schema.name, "everything");
    assert_eq!(schema.key, ["text", "day", "state", "id", "bytes", "decimal", "local", "at"]);
    assert_eq!(schema.columns.last().map(|column| column.name), Some("renamed"));
    assert_eq!(schema.columns.iter().filter(|column| column.nullable).count(), 7);
    assert_eq!(schema.indexes[1].kind, IndexKind::Btree(&["float", "small", "decimal", "flag"]));
    assert_eq!(
        schema.indexes[5].kind,
        IndexKind::Gin(&["tags", "numbers", "floats", "ids", "optional_tags", "json"])
    );
    let types = schema.columns.iter().map(|column| column.column_type);
    let declared: HashSet<ColumnType> = types.collect();
    assert_eq!(declared.len(), ColumnType::ALL.len(), "a column of every type");
    assert_eq!(<State as Column>::TYPE, ColumnType::Text);

    let row = Everything {
        text: "a".into(),
        day: Date::default(),
        state: State::OnTheGround,
        id: Uuid::nil(),
        bytes: vec![1, 2],
        small: 255,
        decimal: Decimal::ONE,
        flag: true,
        local: LocalTimestamp::default(),
        at: TimeOfDay::default(),
        float: 0.5,
        time: Timestamp::default(),
        optional: None,
        optional_state: Some(State::Unknown),
        json: Json(BTreeMap::from([("a".into(), 1)])),
        value: serde_json::Value::Null,
        optional_json: Some(Json(vec![None])),
        mail: "Ada@Example.org".into(),
        tags: vec!["a".into(), "NULL".into()],
        numbers: vec![],
        floats: vec![0.5],
        ids: vec![Uuid::nil()],
        optional_mail: None,
        optional_at: Some(TimeOfDay::default()),
        optional_local: Some(LocalTimestamp::default()),
        optional_tags: Some(vec![]),
        r#type: -1,
    };
    let Ok(cells) = row.to_cells() else { panic!("all of it can be stored") };
    let Ok(again) = Everything::from_cells(cells.clone()) else { panic!("all of it can be read") };
    assert_eq!(again.to_cells(), Ok(cells));

    let _ = Everything::by_optional("a");
    let _ = Everything::by_numbers(0.5, 255, Decimal::ONE, true);
    let _ = Everything::by_times(LocalTimestamp::default(), TimeOfDay::default(), TimeOfDay::default());
    let _ = Everything::by_others(Date::default(), &[1, 2], State::Unknown, Uuid::nil());
}

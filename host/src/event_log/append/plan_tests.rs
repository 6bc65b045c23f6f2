use gnomon_values::Instant;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::event_log::{
    append::{ExpectedVersion, condition::LookedUp},
    event::SchemaVersion,
    event_query::{AppendCondition, EventQuery, QueryItem},
    json_text::JsonText,
    name::{EventType, Tag},
};

fn raw(json: &str) -> JsonText {
    JsonText::parse(json).unwrap()
}

fn event(id: u128, data: &str) -> NewEvent {
    NewEvent {
        id: EventId::Given(Uuid::from_u128(id)),
        event_type: EventType::new("Happened").unwrap(),
        schema_version: SchemaVersion::FIRST,
        time: None,
        data: raw(data),
        metadata: None,
        tags: Vec::new(),
    }
}

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|tag| Tag::new(*tag).unwrap()).collect()
}

fn tagged(id: u128, names: &[&str]) -> NewEvent {
    NewEvent { tags: tags(names), ..event(id, "2") }
}

/// That no event after position 2 has these tags.
fn none_with(names: &[&str]) -> Option<LookedUp> {
    let query = EventQuery { items: vec![QueryItem { types: Vec::new(), tags: tags(names) }] };
    Some(LookedUp::begin(AppendCondition { fail_if_events_match: query, after: Some(Position(2)) }))
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

fn append(name: &str, expected: ExpectedVersion, events: Vec<NewEvent>) -> Append {
    Append { stream: stream(name), expected, events }
}

fn recorded(position: u64, name: &str, version: u64, id: u128, data: &str) -> RecordedEvent {
    RecordedEvent {
        position: Position(position),
        stream: stream(name),
        version: StreamVersion(version),
        id: Uuid::from_u128(id),
        event_type: EventType::new("Happened").unwrap(),
        schema_version: SchemaVersion::FIRST,
        time: Instant(0),
        recorded_at: Instant(0),
        data: raw(data),
        metadata: None,
        tags: Vec::new(),
        is_personal: false,
    }
}

/// The plan over a log with two events of stream `a-1`.
fn plan<'w>() -> AppendPlan<'w> {
    let log = [recorded(1, "a-1", 1, 11, r#"{"x":1,"y":2}"#), recorded(2, "a-1", 2, 12, "2")];
    AppendPlan::new(Position(2), [(stream("a-1"), StreamVersion(2))], log)
}

fn decide(plan: &mut AppendPlan<'static>, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
    decide_if(plan, appends, None)
}

fn decide_if(
    plan: &mut AppendPlan<'static>,
    appends: Vec<Append>,
    condition: Option<LookedUp>,
) -> Result<Vec<Appended>, AppendError> {
    plan.append(Box::leak(Box::new(Appends { appends: appends.into(), condition: condition.map(Box::new) })))
}

fn import(plan: &mut AppendPlan<'static>, lines: Vec<Line>) -> Result<Imported, AppendError> {
    plan.import(Vec::leak(lines))
}

fn summary(appended: Result<Vec<Appended>, AppendError>) -> Vec<(u64, u64, u64, bool)> {
    let appended = appended.unwrap();
    appended.iter().map(|one| (one.first_version.0, one.last_version.0, one.first_position.0, one.repeated)).collect()
}

#[test]
fn expected_versions_see_what_was_decided_before() {
    let mut plan = plan();
    let one = |expected| vec![append("a-1", expected, vec![event(Uuid::now_v7().as_u128(), "1")])];
    assert_eq!(summary(decide(&mut plan, one(ExpectedVersion::Exact(StreamVersion(2))))), [(3, 3, 3, false)]);
    let error = decide(&mut plan, one(ExpectedVersion::Exact(StreamVersion(2)))).unwrap_err();
    assert_eq!(error.to_string(), "stream `a-1` is at version 3, not at the expected 2");
    let error = decide(&mut plan, one(ExpectedVersion::NoStream)).unwrap_err();
    assert_eq!(error.to_string(), "stream `a-1` is at version 3, not at the expected no_stream");
    assert_eq!(summary(decide(&mut plan, one(ExpectedVersion::Any))), [(4, 4, 4, false)]);
}

#[test]
fn the_same_ids_again_are_a_repeat_whatever_the_expected_version() {
    let mut plan = plan();
    let again = vec![append("a-1", ExpectedVersion::NoStream, vec![event(11, r#"{"y":2, "x":1}"#), event(12, "2")])];
    assert_eq!(summary(decide(&mut plan, again)), [(1, 2, 1, true)]);
    assert!(plan.events.is_empty());

    let new = || vec![append("b-1", ExpectedVersion::NoStream, vec![event(21, "1")])];
    assert_eq!(summary(decide(&mut plan, new())), [(1, 1, 3, false)]);
    assert_eq!(summary(decide(&mut plan, new())), [(1, 1, 3, true)], "a repeat within one group");
    assert_eq!(plan.events.len(), 1);
}

#[test]
fn an_id_with_other_content_is_refused() {
    let mut plan = plan();
    let mut refused = |name: &str, event: NewEvent| {
        decide(&mut plan, vec![append(name, ExpectedVersion::Any, vec![event])]).unwrap_err().to_string()
    };
    let prefix =
        format!("event id {} is taken: version 2 of stream `a-1` (position 2) has it and", Uuid::from_u128(12));
    assert_eq!(refused("a-1", event(12, "3")), format!("{prefix} has other data"));
    assert_eq!(refused("b-1", event(12, "2")), format!("{prefix} belongs to another stream"));
    let typed = NewEvent { event_type: EventType::new("Else").unwrap(), ..event(12, "2") };
    assert_eq!(refused("a-1", typed), format!("{prefix} has another type"));
    let timed = NewEvent { time: Some(Instant(1)), ..event(12, "2") };
    assert_eq!(refused("a-1", timed), format!("{prefix} has another time"));
    let described = NewEvent { metadata: Some(raw("{}")), ..event(12, "2") };
    assert_eq!(refused("a-1", described), format!("{prefix} has other metadata"));
    assert_eq!(refused("a-1", tagged(12, &["x"])), format!("{prefix} has other tags"));
    assert!(plan.events.is_empty());
}

#[test]
fn conditions_see_what_was_decided_before_and_repeats_are_no_matter_of_them() {
    let mut plan = plan().with_newer(Some(NewerEvents::none(Position(2), HashMap::new())));
    let take = |id, names: &[&str]| vec![append("seat-1", ExpectedVersion::Any, vec![tagged(id, names)])];
    assert_eq!(
        summary(decide_if(&mut plan, take(21, &["seat:1", "by:a"]), none_with(&["seat:1"]))),
        [(1, 1, 3, false)]
    );
    let error = decide_if(&mut plan, take(22, &["seat:1", "by:b"]), none_with(&["seat:1"])).unwrap_err();
    assert!(matches!(error, AppendError::ConditionFailed { position: Position(3), .. }), "{error}");
    // The one that was refused is not in the plan, so it does not match.
    assert_eq!(summary(decide_if(&mut plan, take(23, &["seat:2"]), none_with(&["by:b"]))), [(2, 2, 4, false)]);
    assert_eq!(summary(decide_if(&mut plan, take(21, &["by:a", "seat:1"]), none_with(&["seat:1"]))), [(1, 1, 3, true)]);
    // What is appended without a condition is seen, too.
    assert_eq!(summary(decide(&mut plan, take(24, &["seat:3"]))), [(3, 3, 5, false)]);
    assert!(decide_if(&mut plan, take(25, &["seat:3"]), none_with(&["seat:3"])).is_err());
    assert_eq!(plan.events.len(), 3);
}

#[test]
fn half_a_repeat_is_refused() {
    let mut plan = plan();
    for appends in [
        vec![append("a-1", ExpectedVersion::Any, vec![event(12, "2"), event(13, "3")])],
        vec![
            append("a-1", ExpectedVersion::Any, vec![event(12, "2")]),
            append("b-1", ExpectedVersion::Any, vec![event(13, "3")]),
        ],
    ] {
        let error = decide(&mut plan, appends).unwrap_err();
        assert!(matches!(error, AppendError::PartlyRepeated { stream } if stream.as_str() == "a-1"));
    }
    let swapped = vec![append("a-1", ExpectedVersion::Any, vec![event(12, "2"), event(11, r#"{"x":1,"y":2}"#)])];
    let error = decide(&mut plan, swapped).unwrap_err().to_string();
    assert!(error.ends_with("the events of this append do not follow each other there"), "{error}");
    assert!(plan.events.is_empty());
}

#[test]
fn an_append_to_several_streams_is_taken_whole_or_not_at_all() {
    let mut plan = plan();
    let both = |expected| {
        vec![
            append("b-1", ExpectedVersion::NoStream, vec![event(21, "1")]),
            append("a-1", expected, vec![event(22, "2"), event(23, "3")]),
        ]
    };
    assert!(decide(&mut plan, both(ExpectedVersion::Exact(StreamVersion(1)))).is_err());
    assert!(plan.events.is_empty());
    let appended = decide(&mut plan, both(ExpectedVersion::Exact(StreamVersion(2))));
    assert_eq!(summary(appended), [(1, 1, 3, false), (3, 4, 4, false)]);
}

#[test]
fn an_import_that_fails_takes_its_lines_back() {
    let mut plan = plan();
    let lines =
        |ids: &[(u128, &str, &str)]| ids.iter().map(|(id, name, data)| (stream(name), event(*id, data))).collect();
    let imported = import(&mut plan, lines(&[(12, "a-1", "2"), (21, "b-1", "1"), (21, "b-1", "1"), (22, "a-1", "3")]));
    let expected =
        Imported { imported: 2, repeated: 2, first_position: Some(Position(3)), last_position: Some(Position(4)) };
    assert_eq!(imported.unwrap(), expected);

    let error = import(&mut plan, lines(&[(31, "c-1", "1"), (32, "a-1", "1"), (12, "a-1", "9")])).unwrap_err();
    assert!(matches!(error, AppendError::IdTaken { line: Some(2), .. }));
    // The event of the first line is taken back as well: the log never has it.
    let error = import(&mut plan, lines(&[(31, "c-1", "1"), (32, "a-1", "1"), (31, "c-1", "9")])).unwrap_err();
    assert!(matches!(error, AppendError::LinesDiffer { first_line: 0, line: 2, .. }), "{error}");
    // Another request of the group has the event, and the group is committed.
    let error = import(&mut plan, lines(&[(31, "c-1", "1"), (21, "b-1", "9")])).unwrap_err();
    assert!(matches!(error, AppendError::IdTaken { line: Some(1), .. }), "{error}");
    let mut changed: Vec<_> =
        plan.changed_streams().map(|(name, version, last)| (name.as_str().to_owned(), version.0, last.0)).collect();
    changed.sort();
    assert_eq!(changed, [("a-1".to_owned(), 3, 4), ("b-1".to_owned(), 1, 3)]);
    assert_eq!(
        summary(decide(&mut plan, vec![append("c-1", ExpectedVersion::NoStream, vec![event(31, "1")])])),
        [(1, 1, 5, false)]
    );
}

/// The same rules, written without an index: each question searches a list of all events.
#[derive(Clone, Default)]
struct NaiveLog(Vec<(String, u64, u128)>);

impl NaiveLog {
    fn version(&self, name: &str) -> u64 {
        self.0.iter().filter(|(other, _, _)| other == name).count() as u64
    }

    /// Returns whether the request was accepted or repeated.
    fn append(&mut self, appends: &[(String, Option<u64>, Vec<u128>)]) -> bool {
        let is_repeat = |(name, _, ids): &(String, Option<u64>, Vec<u128>)| {
            let found: Vec<_> = ids.iter().map(|id| self.0.iter().find(|(_, _, other)| other == id)).collect();
            found.iter().enumerate().all(|(index, event)| {
                event.is_some_and(|(other, version, _)| {
                    other == name && *version == found[0].map_or(0, |first| first.1) + index as u64
                })
            })
        };
        if appends.iter().all(is_repeat) {
            return true;
        }
        let known = |id: &u128| self.0.iter().any(|(_, _, other)| other == id);
        let refused = appends.iter().any(|(name, expected, ids)| {
            ids.iter().any(known) || expected.is_some_and(|expected| expected != self.version(name))
        });
        if refused {
            return false;
        }
        for (name, _, ids) in appends {
            for id in ids {
                let version = self.version(name) + 1;
                self.0.push((name.clone(), version, *id));
            }
        }
        true
    }
}

proptest! {
    /// Whatever the requests and their grouping, the plan decides as the naive log does, and leaves no gaps.
    #[test]
    fn groups_decide_like_one_by_one(
        requests in prop::collection::vec(
            prop::collection::btree_map(
                prop::sample::select(vec!["a", "b", "c"]),
                (prop::option::of(0_u64..4), prop::collection::btree_set(0_u128..30, 1..4)),
                1..3,
            ),
            1..40,
        ),
        group in 1_usize..8,
    ) {
        let mut naive = NaiveLog::default();
        let mut log: Vec<RecordedEvent> = Vec::new();
        // An id occurs once in a request; the checks before the plan refuse a second.
        let requests: Vec<Vec<(String, Option<u64>, Vec<u128>)>> = requests
            .into_iter()
            .map(|request| {
                let mut seen = std::collections::HashSet::new();
                let request = request.into_iter().map(|(name, (expected, ids))| {
                    (name.to_owned(), expected, ids.into_iter().filter(|id| seen.insert(*id)).collect::<Vec<_>>())
                });
                request.filter(|(_, _, ids)| !ids.is_empty()).collect()
            })
            .collect();
        for requests in requests.chunks(group) {
            let appends: Vec<Appends> = requests
                .iter()
                .map(|request| {
                    let appends = request.iter().map(|(name, expected, ids)| {
                        let expected = match expected {
                            None => ExpectedVersion::Any,
                            Some(0) => ExpectedVersion::NoStream,
                            Some(version) => ExpectedVersion::Exact(StreamVersion(*version)),
                        };
                        append(name, expected, ids.iter().map(|id| event(*id, "0")).collect())
                    });
                    Appends { appends: appends.collect(), condition: None }
                })
                .collect();
            let versions = ["a", "b", "c"].map(|name| (stream(name), StreamVersion(naive.version(name))));
            let mut plan = AppendPlan::new(Position(log.len() as u64), versions, log.clone());
            for (request, appends) in requests.iter().zip(&appends) {
                prop_assert_eq!(plan.append(appends).is_ok(), naive.append(request));
            }
            for planned in &plan.events {
                let id = planned.event.id.uuid().as_u128();
                log.push(recorded(planned.position.0, planned.stream.as_str(), planned.version.0, id, "0"));
            }
        }
        let written: Vec<_> =
            log.iter().map(|event| (event.stream.as_str().to_owned(), event.version.0, event.id.as_u128())).collect();
        prop_assert_eq!(written, naive.0);
        prop_assert!(log.iter().enumerate().all(|(index, event)| event.position.0 == index as u64 + 1));
    }
}

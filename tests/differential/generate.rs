//! Random cases.

use differential_guest::{
    Days, Everything, KeyOf, KeyTypes, LocalMicros, Micros, Operation, Pair, Search, Shapes, State, TimeMicros,
};
use gnomon_sdk::{Json, prelude::*, serde_json::json};
use serde_json::Value;

use crate::random::{Random, number};

/// Events, and how they come.
#[derive(Debug)]
pub(crate) struct Case {
    /// Whether an event that cannot be handled is skipped, or the build halts there.
    pub(crate) skip: bool,
    pub(crate) events: Vec<Told>,
    /// How many are appended at once.
    pub(crate) appends: Vec<usize>,
}

/// An event, and what it tells the projection.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) stream: String,
    pub(crate) operations: Vec<Operation>,
    pub(crate) tags: Vec<&'static str>,
}

const TAGS: [&str; 5] = ["course:c1", "student:s7", "a,b \\\"{}", "Ünï", "NULL"];

impl Case {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let skip = seed % 2 == 1;
        // A case that halts is to get somewhere before.
        let trouble = if skip { 40 } else { 600 };
        let count = 200 + random.below(200);
        let mut events: Vec<Told> = (0..count)
            .map(|_| {
                let operations = (0..random.below(5)).map(|_| random.operation(trouble)).collect();
                let stream = format!("stream-{}", random.below(5));
                Told { stream, operations, tags: random.tags() }
            })
            .collect();
        if seed.is_multiple_of(3) {
            let rows = 10_000 + i64::from(random.one_in(2));
            let index = count / 2 + random.below(count / 2);
            events[index].operations = vec![Operation::Fill("many".into(), rows)];
            events[count - 1].operations.push(Operation::Find(Search::Note("many".into())));
        }
        let appends = (0..5).map(|_| 1 + random.below(60)).collect();
        Self { skip, events, appends }
    }
}

impl Random {
    /// Some tags, each once, in any order; none in every other case.
    fn tags(&mut self) -> Vec<&'static str> {
        let mut tags = Vec::new();
        while !self.one_in(2) {
            let tag = self.of(&TAGS);
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }

    /// One operation; in one of so many cases it is about what cannot be done.
    fn operation(&mut self, trouble: usize) -> Operation {
        if self.one_in(trouble) {
            return self.trouble();
        }
        match self.below(22) {
            0..4 => Operation::PutEverything(Box::new(self.everything()), 0, self.list()),
            4..6 => Operation::PutPair(self.pair(), 0),
            6..8 => Operation::PutKeyTypes(Box::new(self.key_types()), 0),
            8..11 => Operation::Add(self.key(), self.i64()),
            11..13 => Operation::AddPair(self.text(), self.small(), self.i64()),
            13..15 => Operation::Delete(self.key()),
            15 => Operation::CopyPair([(self.text(), self.small()), (self.text(), self.small())]),
            16..19 => Operation::Find(self.search()),
            19..21 => Operation::PutShapes(Box::new(self.shapes()), 0, 0),
            _ => Operation::Log(self.text()),
        }
    }

    /// What cannot be done, or just so.
    fn trouble(&mut self) -> Operation {
        let edge = self.of(&[2399, 2400, 2401, 5000]);
        let nul = "a\0b".to_owned();
        match self.below(28) {
            // Words that a host writes as they are.
            0 => Operation::Fail(self.of(&["as told", "Straße", ""]).to_owned()),
            1 => Operation::ChangeKey(self.small()),
            2 => Operation::PutEverything(Box::new(Everything { text: String::new(), ..self.everything() }), edge, 0),
            3 => Operation::PutEverything(Box::new(Everything { text: nul, ..self.everything() }), 0, 0),
            4 => Operation::PutEverything(Box::new(Everything { maybe_text: Some(nul), ..self.everything() }), 0, 0),
            5 => {
                let json = self.large_json();
                let json = self.of(&[json!({ "a": nul }), json]);
                Operation::PutEverything(Box::new(Everything { json, ..self.everything() }), 0, 0)
            }
            6 => {
                let near = (1 << 20) - 1500 + self.below(1300);
                Operation::PutEverything(Box::new(self.everything()), 0, near)
            }
            7 => Operation::PutPair(Pair { left: String::new(), ..self.pair() }, edge),
            8 => Operation::PutPair(Pair { note: Some("n".repeat(edge)), ..self.pair() }, 0),
            9 => Operation::PutKeyTypes(Box::new(self.key_types()), edge - self.below(60)),
            10 => Operation::Add(KeyOf::Pair(String::new(), self.small(), edge), 1),
            11 => Operation::Delete(KeyOf::Pair(String::new(), self.small(), edge)),
            12 => self.of(&[
                Operation::Add(KeyOf::Pair(nul.clone(), 1, 0), 1),
                Operation::Delete(KeyOf::Pair(nul.clone(), 1, 0)),
                Operation::AddPair(nul.clone(), 1, 1),
                Operation::CopyPair([(nul.clone(), 1), (String::new(), 1)]),
            ]),
            13 => Operation::PutEverything(Box::new(self.never()), 0, 0),
            14 => Operation::PutEverything(Box::new(self.by_hand()), 0, 0),
            15 => Operation::PutKeyTypes(Box::new(self.never_key_types()), 0),
            16 => Operation::Add(KeyOf::KeyTypes(Box::new(self.never_key_types())), 1),
            17 => Operation::Delete(KeyOf::KeyTypes(Box::new(self.never_key_types()))),
            18 => {
                let (instant, day) = (self.never_instant(), self.never_day());
                Operation::Find(self.of(&[
                    Search::Day(day, None),
                    Search::Day(day, Some(1)),
                    Search::Mix(true, Some(1), Some(day)),
                    Search::Amount(Decimal::ONE, Some((true, instant))),
                ]))
            }
            19 => {
                let row = Shapes { title: CiText::default(), ..self.shapes() };
                Operation::PutShapes(Box::new(row), edge, 0)
            }
            20 => Operation::PutShapes(Box::new(self.shapes()), 0, edge),
            21 => {
                let row = self.shapes();
                let row = self.of(&[
                    Shapes { title: CiText(nul.clone()), ..row.clone() },
                    Shapes { maybe_title: Some(CiText(nul.clone())), ..row.clone() },
                    Shapes { texts: vec![String::new(), nul.clone()], ..row.clone() },
                    Shapes { maybe_texts: Some(vec![nul]), ..row },
                ]);
                Operation::PutShapes(Box::new(row), 0, 0)
            }
            22 => Operation::PutShapes(Box::new(self.never_shapes()), 0, 0),
            23 => Operation::PutShapes(Box::new(self.shapes_by_hand()), 0, 0),
            24 => {
                let near = (1 << 20) / 8 - 60 + i64::try_from(self.below(60)).unwrap();
                let row = Shapes { numbers: (0..near).collect(), ..self.shapes() };
                Operation::PutShapes(Box::new(row), 0, 0)
            }
            25 => {
                let (local, time) = (self.never_local(), self.leap_time());
                let kept = self.local();
                Operation::Find(self.of(&[Search::Local(local, None), Search::Local(kept, Some(time))]))
            }
            26 => {
                let row = KeyTypes { time: self.leap_time(), ..self.key_types() };
                Operation::Delete(KeyOf::KeyTypes(Box::new(row)))
            }
            _ => Operation::Find(self.of(&[
                Search::Text(nul.clone()),
                Search::Note(nul.clone()),
                Search::Right(1, Some(nul)),
            ])),
        }
    }

    /// A row with an instant or a day that is not kept.
    fn never(&mut self) -> Everything {
        let row = self.everything();
        match self.below(4) {
            0 => Everything { instant: self.never_instant(), ..row },
            1 => Everything { day: self.never_day(), ..row },
            2 => Everything { maybe_instant: Some(self.never_instant()), ..row },
            _ => Everything { maybe_day: Some(self.never_day()), ..row },
        }
    }

    /// A row with a cell that is made by hand, within what is kept or not.
    fn by_hand(&mut self) -> Everything {
        let (first, last) = (-62_135_596_800_000_000, 253_402_300_799_999_999);
        let row = self.everything();
        if self.one_in(2) {
            let micros = self.of(&[i64::MIN, first - 1, first, last, last + 1, i64::MAX]);
            return Everything { micros: Micros(micros), ..row };
        }
        let days = self.of(&[i32::MIN, -719_163, -719_162, 2_932_896, 2_932_897, i32::MAX]);
        Everything { days: Days(days), ..row }
    }

    fn never_key_types(&mut self) -> KeyTypes {
        let row = self.key_types();
        match self.below(4) {
            0 => KeyTypes { instant: self.never_instant(), ..row },
            1 => KeyTypes { day: self.never_day(), ..row },
            2 => KeyTypes { local: self.never_local(), ..row },
            _ => KeyTypes { time: self.leap_time(), ..row },
        }
    }

    /// A row with a time that is not kept.
    fn never_shapes(&mut self) -> Shapes {
        let row = self.shapes();
        match self.below(4) {
            0 => Shapes { local: self.never_local(), ..row },
            1 => Shapes { maybe_local: Some(self.never_local()), ..row },
            2 => Shapes { time: self.leap_time(), ..row },
            _ => Shapes { maybe_time: Some(self.leap_time()), ..row },
        }
    }

    /// A row with a cell that is made by hand, within what is kept or not.
    fn shapes_by_hand(&mut self) -> Shapes {
        let (first, last) = (-62_135_596_800_000_000, 253_402_300_799_999_999);
        let row = self.shapes();
        if self.one_in(2) {
            let micros = self.of(&[i64::MIN, first - 1, first, last, last + 1, i64::MAX]);
            return Shapes { local_micros: LocalMicros(micros), ..row };
        }
        let micros = self.of(&[i64::MIN, -1, 0, 86_399_999_999, 86_400_000_000, i64::MAX]);
        Shapes { time_micros: TimeMicros(micros), ..row }
    }

    /// JSON whose numbers have as many digits as there may be, or more.
    fn large_json(&mut self) -> Value {
        let numbers = |count: usize| number(&format!("[{}]", vec!["1e131071"; count].join(",")));
        self.of(&[
            number("1e131072"),
            number("-1e-16384"),
            number("1e-16383"),
            numbers(1),
            numbers(7),
            numbers(8),
            numbers(9),
        ])
    }

    fn key(&mut self) -> KeyOf {
        match self.below(4) {
            3 => KeyOf::Shapes(self.id()),
            0 => KeyOf::Everything(self.id()),
            1 => KeyOf::Pair(self.text(), self.small(), 0),
            _ => KeyOf::KeyTypes(Box::new(self.key_types())),
        }
    }

    fn search(&mut self) -> Search {
        match self.below(9) {
            8 => Search::Local(self.local(), self.maybe(Self::time)),
            0 => Search::Text(self.text()),
            1 => {
                let (number, day) = (self.maybe(Self::i64), self.maybe(Self::day));
                Search::Mix(self.one_in(2), number, day)
            }
            2 => Search::Float(self.float().to_bits(), self.maybe(Self::decimal)),
            3 => Search::Bytes(self.bytes(), self.maybe(Self::text)),
            4 => Search::Right(self.small(), self.maybe(Self::text)),
            5 => Search::Note(self.text()),
            6 => Search::Day(self.day(), self.maybe(Self::i64)),
            _ => {
                let more = self.maybe(|random| (random.one_in(2), random.instant()));
                Search::Amount(self.decimal(), more)
            }
        }
    }

    fn everything(&mut self) -> Everything {
        Everything {
            id: self.id(),
            text: self.text(),
            flag: self.one_in(2),
            small: self.of(&[i8::MIN, -1, 0, i8::MAX]),
            number: self.i64(),
            float: self.float(),
            decimal: self.decimal(),
            instant: self.instant(),
            day: self.day(),
            micros: Micros(self.of(&[-1, 0, 1 << 50])),
            days: Days(self.of(&[-1, 0, 1 << 20])),
            uuid: self.uuid(),
            json: self.json(3),
            typed: Json((0..self.below(3)).map(|_| self.maybe(Self::text)).collect()),
            bytes: self.bytes(),
            state: self.state(),
            maybe_text: self.maybe(Self::text),
            maybe_flag: self.maybe(|random| random.one_in(2)),
            maybe_number: self.maybe(|random| random.of(&[0, 1, u32::MAX])),
            maybe_decimal: self.maybe(Self::decimal),
            maybe_instant: self.maybe(Self::instant),
            maybe_day: self.maybe(Self::day),
            maybe_uuid: self.maybe(Self::uuid),
            maybe_json: Some(self.json(1)).filter(|json| !json.is_null()),
            maybe_bytes: self.maybe(Self::bytes),
        }
    }

    pub(crate) fn shapes(&mut self) -> Shapes {
        Shapes {
            id: self.id(),
            number: self.i64(),
            title: CiText(self.text()),
            local: self.local(),
            time: self.time(),
            local_micros: LocalMicros(self.of(&[-1, 0, 1 << 50])),
            time_micros: TimeMicros(self.of(&[0, 1, 1 << 36])),
            texts: self.array(Self::element),
            numbers: self.array(Self::i64),
            floats: self.array(Self::float),
            uuids: self.array(Self::uuid),
            maybe_title: self.maybe(|random| CiText(random.text())),
            maybe_local: self.maybe(Self::local),
            maybe_time: self.maybe(Self::time),
            maybe_texts: self.maybe(|random| random.array(Self::element)),
            maybe_numbers: self.maybe(|random| random.array(Self::i64)),
            maybe_uuids: self.maybe(|random| random.array(Self::uuid)),
        }
    }

    fn array<T>(&mut self, element: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| element(self)).collect()
    }

    /// A text, or one that means something else in the literal of an array.
    fn element(&mut self) -> String {
        if self.one_in(2) {
            return self.text();
        }
        self.of(&["NULL", "null", "{}", "{a,b}", ",", "a,b", "\"", "\\", "\\\\\"", "[1:2]={1,2}", "\t", " "]).to_owned()
    }

    fn pair(&mut self) -> Pair {
        Pair { left: self.text(), right: self.small(), number: self.i64(), note: self.maybe(Self::text) }
    }

    fn key_types(&mut self) -> KeyTypes {
        KeyTypes {
            instant: self.instant(),
            day: self.of(&["0001-01-01", "2000-02-29"]).parse().unwrap(),
            amount: self.of(&["1", "1.0", "-0.5", "79228162514264337593543950335"]).parse().unwrap(),
            mark: self.of(&[vec![], vec![0], vec![255, 0]]),
            flag: self.one_in(2),
            uuid: Uuid::nil(),
            state: self.state(),
            local: self.of(&["0001-01-01T00:00:00", "2000-02-29T00:00:00.000001999"]).parse().unwrap(),
            time: self.of(&["00:00:00", "23:59:59.999999999"]).parse().unwrap(),
            number: self.i64(),
        }
    }

    fn state(&mut self) -> State {
        self.of(&[State::On, State::Off, State::Unknown])
    }
}

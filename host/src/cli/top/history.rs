//! What a host has said in the last seconds, and how fast things move.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use super::{
    moments::{self, ReactorMoment, SinkMoment},
    poll::{Answer, Said},
};
use crate::{
    cli::measures::{Measures, Sample},
    metrics::{Measure, names},
};

/// Speeds are over so much time.
const WINDOW: Duration = Duration::from_secs(10);

/// What a host has said, the newest last.
#[derive(Debug)]
pub(super) struct History {
    url: String,
    moments: VecDeque<Moment>,
    /// Why the host does not answer now, and since when.
    lost: Option<(Instant, String)>,
}

/// What a host said at one time.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    at: Instant,
    pub(super) version: String,
    pub(super) not_ready: Option<String>,
    pub(super) head: Option<u64>,
    pub(super) head_age: Option<f64>,
    pub(super) hosts: Option<u64>,
    /// Parts of the answer that Postgres did not give in time.
    pub(super) missing: Vec<String>,
    pub(super) builds: BTreeMap<BuildKey, BuildMoment>,
    pub(super) reactors: BTreeMap<String, ReactorMoment>,
    pub(super) sinks: BTreeMap<String, SinkMoment>,
}

/// A projection and the number of a build, or `verification-` and a number.
pub(super) type BuildKey = (String, String);

/// A build at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BuildMoment {
    pub(super) version: String,
    pub(super) state: String,
    /// Queries have left it for another build.
    pub(super) is_replaced: bool,
    pub(super) checkpoint: u64,
    pub(super) lag: u64,
    pub(super) lag_seconds: f64,
    pub(super) dead_letters: u64,
    /// `None` for a build that nobody is to work on.
    pub(super) leased: Option<bool>,
    pub(super) blocked: bool,
}

impl BuildMoment {
    /// Whether it stands still until somebody does something.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "halted")
    }
}

impl History {
    /// Nothing yet of the host at a URL.
    pub(super) fn new(url: String) -> Self {
        Self { url, moments: VecDeque::new(), lost: None }
    }

    pub(super) fn add(&mut self, Answer { at, said }: Answer) {
        let said = match said {
            Ok(said) => said,
            Err(reason) => {
                let since = self.lost.take().map_or(at, |(since, _)| since);
                self.lost = Some((since, reason));
                return;
            }
        };
        // What lies between two answers with none between says nothing of how fast things move.
        if self.lost.take().is_some() {
            self.moments.clear();
        }
        let moment = Moment::of(at, said);
        // A log that was restored from a backup begins again.
        if self.newest().is_some_and(|newest| newest.head > moment.head) {
            self.moments.clear();
        }
        self.moments.push_back(moment);
        while self.moments.len() > 2 && self.moments[1].at + WINDOW <= at {
            self.moments.pop_front();
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn newest(&self) -> Option<&Moment> {
        self.moments.back()
    }

    /// Why the host does not answer, and for how long.
    pub(super) fn lost(&self) -> Option<(Duration, &str)> {
        self.lost.as_ref().map(|(since, reason)| (since.elapsed(), reason.as_str()))
    }

    /// Events that are appended in a second, by any host.
    pub(super) fn appends(&self) -> Option<f64> {
        self.rate(|moment| moment.head)
    }

    /// Positions that a build passes in a second.
    pub(super) fn speed(&self, build: &BuildKey) -> Option<f64> {
        self.rate(|moment| Some(moment.builds.get(build)?.checkpoint))
    }

    /// Positions that a reactor passes in a second.
    pub(super) fn speed_of_reactor(&self, reactor: &str) -> Option<f64> {
        self.rate(|moment| Some(moment.reactors.get(reactor)?.checkpoint))
    }

    /// Whether a build has got further behind within the window.
    pub(super) fn falls_behind(&self, build: &BuildKey) -> bool {
        self.grows(|moment| Some(moment.builds.get(build)?.lag_seconds))
    }

    /// Whether a reactor has.
    pub(super) fn reactor_falls_behind(&self, reactor: &str) -> bool {
        self.grows(|moment| Some(moment.reactors.get(reactor)?.lag_seconds))
    }

    fn grows(&self, lag: impl Fn(&Moment) -> Option<f64>) -> bool {
        let lags: Vec<f64> = self.moments.iter().filter_map(lag).collect();
        // Not one that catches up and falls behind again with each batch.
        lags.len() >= 3 && lags.is_sorted() && lags.last() > lags.first()
    }

    fn rate(&self, value: impl Fn(&Moment) -> Option<u64>) -> Option<f64> {
        let mut known = self.moments.iter().filter_map(|moment| Some((moment.at, value(moment)?)));
        let (first, last) = (known.next()?, known.next_back()?);
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        (seconds > 0.0).then(|| last.1.saturating_sub(first.1) as f64 / seconds)
    }
}

impl Moment {
    fn of(at: Instant, Said { measures, not_ready }: Said) -> Self {
        let number = |measure| measures.one(measure).map(|value| value as u64);
        let is_on = |sample: &&Sample| sample.value > 0.0;
        Self {
            at,
            version: measures
                .all(names::INFO)
                .first()
                .map_or_else(String::new, |sample| sample.label("version").to_owned()),
            not_ready,
            head: number(names::HEAD_POSITION),
            head_age: measures.one(names::HEAD_AGE),
            hosts: number(names::HOSTS),
            missing: measures
                .all(names::SCRAPE_ERROR)
                .iter()
                .filter(is_on)
                .map(|sample| sample.label("part").to_owned())
                .collect(),
            builds: builds(&measures),
            reactors: moments::reactors(&measures),
            sinks: moments::sinks(&measures),
        }
    }
}

fn builds(measures: &Measures) -> BTreeMap<BuildKey, BuildMoment> {
    let key = |sample: &Sample| (sample.label("projection").to_owned(), sample.label("build").to_owned());
    let mut builds: BTreeMap<BuildKey, BuildMoment> = BTreeMap::new();
    for sample in measures.all(names::BUILD_STATE).iter().filter(|sample| sample.value > 0.0) {
        let (version, state) = (sample.label("version").to_owned(), sample.label("state").to_owned());
        let is_replaced = sample.is_of_replaced();
        builds.insert(key(sample), BuildMoment { version, state, is_replaced, ..BuildMoment::default() });
    }
    let mut fill = |measure: &Measure, set: fn(&mut BuildMoment, f64)| {
        for sample in measures.all(measure) {
            if let Some(build) = builds.get_mut(&key(sample)) {
                set(build, sample.value);
            }
        }
    };
    fill(names::BUILD_CHECKPOINT, |build, value| build.checkpoint = value as u64);
    fill(names::BUILD_LAG_POSITIONS, |build, value| build.lag = value as u64);
    fill(names::BUILD_LAG_SECONDS, |build, value| build.lag_seconds = value);
    fill(names::BUILD_DEAD_LETTERS, |build, value| build.dead_letters = value as u64);
    fill(names::BUILD_LEASED, |build, value| build.leased = Some(value > 0.0));
    fill(names::BUILD_BLOCKED, |build, value| build.blocked = value > 0.0);
    builds
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli::top) fn said(text: &str) -> Result<Said, String> {
        Ok(Said { measures: Measures::of(text), not_ready: None })
    }

    /// A host that has said these, a second after each other.
    pub(in crate::cli::top) fn history(answers: impl IntoIterator<Item = Result<Said, String>>) -> History {
        let mut history = History::new("http://h".to_owned());
        let began = Instant::now();
        for (second, said) in answers.into_iter().enumerate() {
            history.add(Answer { at: began + Duration::from_secs(second as u64), said });
        }
        history
    }

    fn at(head: u64, checkpoint: u64, lag: f64) -> Result<Said, String> {
        said(&format!(
            "gnomon_head_position {head}\ngnomon_build_state{{projection=\"bank\",build=\"1\",version=\"3\",state=\"active\"}} 1\n\
             gnomon_build_checkpoint_position{{projection=\"bank\",build=\"1\"}} {checkpoint}\n\
             gnomon_build_lag_seconds{{projection=\"bank\",build=\"1\"}} {lag}\n"
        ))
    }

    fn bank() -> BuildKey {
        ("bank".to_owned(), "1".to_owned())
    }

    #[test]
    fn speeds_are_over_the_last_seconds() {
        let history = history((0..30).map(|second| at(100 * second.max(20), 10 * second, 0.0)));
        assert_eq!((history.appends(), history.speed(&bank())), (Some(90.0), Some(10.0)));
        assert_eq!(history.newest().unwrap().builds[&bank()].version, "3");
        assert_eq!(self::history([at(1, 1, 0.0)]).appends(), None, "one answer shows no speed");
    }

    #[test]
    fn a_host_that_was_away_or_a_log_that_went_back_gives_no_wrong_speed() {
        let gone = || Err("gone".to_owned());
        let mut history = history([at(1, 1, 0.0), gone(), gone()]);
        assert_eq!(history.lost().unwrap().1, "gone");
        assert_eq!(history.newest().unwrap().head, Some(1), "what it said last stays on the screen");
        history.add(Answer { at: Instant::now() + Duration::from_secs(9), said: at(5000, 1, 0.0) });
        assert!(history.lost().is_none() && history.appends().is_none());
        assert_eq!(self::history([at(9, 1, 0.0), at(2, 1, 0.0)]).appends(), None);
    }

    #[test]
    fn a_build_falls_behind_while_its_lag_only_grows() {
        let behind = |lags: &[f64]| history(lags.iter().map(|lag| at(9, 1, *lag))).falls_behind(&bank());
        assert!(behind(&[0.0, 1.0, 2.0]) && behind(&[1.0, 1.0, 2.0]));
        assert!(!behind(&[5.0, 5.0, 5.0]) && !behind(&[1.0, 2.0]) && !behind(&[3.0, 1.0, 2.0]));
    }
}

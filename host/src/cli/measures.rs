//! The measures that a host answers at `/metrics`, as a command reads them.

use std::collections::HashMap;

use super::client::{Client, ClientError};
use crate::metrics::Measure;

/// What a host measures, at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Measures {
    samples: HashMap<String, Vec<Sample>>,
}

/// One value of a measure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    labels: Vec<(String, String)>,
    pub(super) value: f64,
}

impl Sample {
    /// The value of a label; empty if there is no such label.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }

    /// Whether it is of a build that queries have left for another one.
    pub(super) fn is_of_replaced(&self) -> bool {
        self.label("role") == "replaced"
    }
}

impl Measures {
    /// Asks a host.
    ///
    /// # Errors
    /// The host cannot be reached, or refuses.
    pub(super) async fn ask(client: &Client) -> Result<Self, ClientError> {
        Ok(Self::read(&client.text(client.get(&["metrics"])).await?))
    }

    /// Reads the text format of Prometheus. Lines that have no sample are passed over.
    fn read(text: &str) -> Self {
        let mut samples: HashMap<String, Vec<Sample>> = HashMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, sample)) = read_sample(line) {
                samples.entry(name.to_owned()).or_default().push(sample);
            }
        }
        Self { samples }
    }

    /// Each value of a measure that is no histogram.
    pub(super) fn all(&self, measure: &Measure) -> &[Sample] {
        self.samples.get(measure.name).map_or(&[], Vec::as_slice)
    }

    /// The value of a measure without labels; `None` if the host left it out.
    pub(super) fn one(&self, measure: &Measure) -> Option<f64> {
        self.all(measure).first().map(|sample| sample.value)
    }
}

/// The name and the value of a line such as `name{label="text"} 1.5`.
fn read_sample(line: &str) -> Option<(&str, Sample)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            if let Some(behind) = rest.strip_prefix('}') {
                rest = behind;
                break;
            }
            let (label, value) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, behind) = read_text(value)?;
            labels.push((label.to_owned(), value));
            rest = behind;
        }
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some((name, Sample { labels, value }))
}

/// A text up to the quotation mark that ends it, and what is behind that.
fn read_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
impl Measures {
    /// The measures of a text, for tests of commands.
    pub(super) fn of(text: &str) -> Self {
        Self::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::names;

    #[test]
    fn samples_are_read_with_their_labels() {
        let text = "# HELP gnomon_builds Builds\n# TYPE gnomon_builds gauge\ngnomon_head_position 12\n\
                    gnomon_build_lag_seconds{projection=\"a\\\"b,\\\\}\",build=\"1\"} 1.5\n\
                    gnomon_build_lag_seconds{projection=\"c\",build=\"2\"} 0\n\
                    event_store_events_total{event_type=\"x\\ny\"} 3\nnonsense{\n";
        let measures = Measures::of(text);
        assert_eq!(measures.one(names::HEAD_POSITION), Some(12.0));
        let lags = measures.all(names::BUILD_LAG_SECONDS);
        assert_eq!(lags.len(), 2);
        assert_eq!((lags[0].label("projection"), lags[0].label("build"), lags[0].value), ("a\"b,\\}", "1", 1.5));
        assert_eq!(measures.all(names::EVENTS_APPENDED)[0].label("event_type"), "x\ny");
        assert_eq!(measures.one(names::POSTGRES_UP), None);
    }
}

//! What operators do with a build, and what the host answers.

use reqwest::{Method, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;

use super::{
    client::{Client, ClientError},
    output,
    projection::{Build, Projection},
};

/// The build that something was done with, and the projection as it is now.
#[derive(Debug)]
pub(super) struct Operated {
    build: u64,
    pub(super) projection: Projection,
    /// Dead letters that a retry leaves set aside.
    pub(super) overtaken: u64,
    /// Dead letters that a retry tries behind later events of other streams.
    pub(super) behind_others: u64,
    /// Whether it is yet to happen.
    pub(super) later: bool,
}

/// Not by `flatten`, within which serde reads no number with a fraction.
impl<'de> Deserialize<'de> for Operated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Which {
            build: u64,
            #[serde(default)]
            overtaken: u64,
            #[serde(default)]
            behind_others: u64,
        }

        let answer = Box::<RawValue>::deserialize(deserializer)?;
        let Which { build, overtaken, behind_others } = serde_json::from_str(answer.get()).map_err(D::Error::custom)?;
        let projection = serde_json::from_str(answer.get()).map_err(D::Error::custom)?;
        Ok(Self { build, projection, overtaken, behind_others, later: false })
    }
}

/// The same as it is printed.
#[derive(Serialize)]
struct Outcome<'o> {
    projection: &'o str,
    build: u64,
    version: Option<u64>,
    state: Option<&'o str>,
    checkpoint: Option<u64>,
    active_build: Option<u64>,
}

/// Asks the host to do something with a projection: `rebuild`, `activate` …
pub(super) async fn operate(
    client: &Client,
    name: &str,
    operation: &str,
    query: &[(&str, Option<String>)],
) -> Result<Operated, ClientError> {
    let request = client.request(Method::POST, &["v1", "projections", name, operation]).query(query);
    let (mut operated, status): (Operated, _) = client.json_and_status(request).await?;
    operated.later = status == StatusCode::ACCEPTED;
    Ok(operated)
}

/// The parameter that names a build.
pub(super) fn of_build(build: Option<u64>) -> [(&'static str, Option<String>); 1] {
    [("build", build.map(|build| build.to_string()))]
}

impl Operated {
    /// The number of the build.
    pub(super) fn number(&self) -> u64 {
        self.build
    }

    /// The build.
    pub(super) fn found(&self) -> Option<&Build> {
        self.projection.build(self.build)
    }

    /// The build and its version, in words.
    pub(super) fn label(&self) -> String {
        let label = self.found().map_or_else(|| format!("build {}", self.build), Build::label);
        format!("{label} of `{}`", self.projection.name)
    }

    /// Prints it as JSON, with a younger state of the build if there is one.
    ///
    /// # Errors
    /// As [`output::data`].
    pub(super) fn print(&self, now: Option<&Build>) -> std::io::Result<()> {
        let build = now.or(self.found());
        let active = now.is_some_and(|now| now.state == "active").then_some(self.build);
        output::json(&Outcome {
            projection: &self.projection.name,
            build: self.build,
            version: build.map(|build| build.version),
            state: build.map(|build| build.state.as_str()),
            checkpoint: build.map(|build| build.checkpoint),
            active_build: active.or(self.projection.active_build),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_build_and_its_projection() {
        let answer = r#"{"build":2,"name":"bank","active_build":1,"builds":[{"build":2,"version":1,"state":"replaying",
            "checkpoint":1,"head":9,"lag":8,"events_per_second":1234.5,"error":null}]}"#;
        let operated: Operated = serde_json::from_str(answer).unwrap();
        assert_eq!((operated.number(), operated.label().as_str()), (2, "build 2 (version 1) of `bank`"));
        assert_eq!(operated.found().map(|build| build.events_per_second), Some(1234.5));
    }
}

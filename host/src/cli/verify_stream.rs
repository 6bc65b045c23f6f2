//! `gnomon verify --stream`, and the snapshots of `gnomon verify`

use anyhow::bail;
use reqwest::Method;

use super::{
    client::{Client, ClientError},
    figures, output,
};
use crate::api::{
    RowDifference, SnapshotsVerification, StreamVerification, VerifySnapshotsQuery, VerifyStreamQuery, WrongSnapshot,
};

/// Checks the rows and snapshots of a stream against its events.
pub(super) async fn verify_stream(client: &Client, projection: &str, stream: &str, json: bool) -> anyhow::Result<()> {
    let query = VerifyStreamQuery { projection: projection.to_owned(), version: None };
    let request = client.request(Method::POST, &["v1", "streams", stream, "verify"]).query(&query);
    let body = client.text(request).await?;
    let verification: StreamVerification = client.parse(&body)?;
    if json {
        output::data(body)?;
    } else {
        output::data(describe(&verification))?;
    }
    if let Some(difference) = difference(&verification) {
        bail!(difference);
    }
    Ok(())
}

/// Checks snapshots of a version of a projection, if it has any. What is wrong with them; `None` if nothing is.
pub(super) async fn verify_snapshots(
    client: &Client,
    projection: &str,
    version: u32,
) -> anyhow::Result<Option<String>> {
    let query = VerifySnapshotsQuery { version: Some(version) };
    let request = client.request(Method::POST, &["v1", "projections", projection, "snapshots", "verify"]).query(&query);
    let verification: SnapshotsVerification = match client.json(request).await {
        Ok(verification) => verification,
        // Then it has none.
        Err(ClientError::Refused(problem)) if problem.code() == "not_partitioned" => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let SnapshotsVerification { streams, snapshots, wrong_snapshots, all, .. } = verification;
    if snapshots > 0 {
        let of = if all { "" } else { ", of more" };
        let (snapshots, streams) = (figures::counted(snapshots, "snapshot"), figures::counted(streams, "stream"));
        output::say(format_args!("{snapshots} of {streams} were folded again{of}"));
    }
    Ok((!wrong_snapshots.is_empty()).then(|| {
        let wrong: Vec<String> =
            wrong_snapshots.iter().map(|WrongSnapshot { stream, version }| format!("{stream} at {version}")).collect();
        removed(&wrong, "")
    }))
}

fn describe(verification: &StreamVerification) -> String {
    let StreamVerification { stream, logic, events_folded, snapshots, rows, checkpoint, .. } = verification;
    let build = logic.build.map_or_else(String::new, |build| format!("build {build} "));
    let outcome = if verification.identical { "identical" } else { "different" };
    let at = checkpoint.map_or_else(String::new, |at| format!(" at position {}", figures::count(at)));
    let mut text = format!(
        "{outcome}: {build}(version {}) of `{}`, stream {stream}\n{} and {}{at}, from {}",
        logic.version,
        logic.projection,
        figures::counted(*rows, "row"),
        figures::counted(*snapshots, "snapshot"),
        figures::counted(*events_folded, "event"),
    );
    for RowDifference { table, expected, found } in &verification.differences {
        let [expected, found] =
            [expected, found].map(|row| row.as_ref().map_or_else(|| "no row".to_owned(), |row| row.0.to_string()));
        text += &format!("\n{table} has {found}\n{:width$} not {expected}", "", width = table.len() + 3);
    }
    text
}

/// That these snapshots are removed.
fn removed(wrong: &[String], what: &str) -> String {
    let (found, were) =
        (figures::counted(wrong.len() as u64, "snapshot"), if wrong.len() == 1 { "was" } else { "were" });
    let are = if wrong.len() == 1 { "is" } else { "are" };
    format!("{found} {were} wrong, and {are} removed: {what}{}", wrong.join(", "))
}

/// What differs, and the way out; `None` if nothing does.
fn difference(verification: &StreamVerification) -> Option<String> {
    let StreamVerification { logic, wrong_snapshots, different_rows, .. } = verification;
    let mut reasons = Vec::new();
    if *different_rows > 0 {
        reasons.push(format!(
            "{} of the stream {} not what its events give: `gnomon verify {projection}` looks for the cause, `gnomon rebuild {projection}` \
             builds all again",
            figures::counted(*different_rows, "row"),
            if *different_rows == 1 { "is" } else { "are" },
            projection = logic.projection,
        ));
    }
    if !wrong_snapshots.is_empty() {
        let versions: Vec<String> = wrong_snapshots.iter().map(u64::to_string).collect();
        reasons.push(removed(&versions, if versions.len() == 1 { "version " } else { "versions " }));
    }
    (!reasons.is_empty()).then(|| reasons.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verification(different: u64, wrong: &str, differences: &str) -> StreamVerification {
        let identical = different == 0 && wrong.is_empty();
        serde_json::from_str(&format!(
            r#"{{"stream":"account-7","newest_version":230,"identical":{identical},"events_folded":230,"snapshots":2,
                "logic":{{"projection":"bank","version":2,"upcasters":[],"build":4}},"wrong_snapshots":[{wrong}],"checkpoint":18262,"rows":1,
                "different_rows":{different},"differences":[{differences}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn what_was_compared_is_told() {
        let identical = verification(0, "", "");
        assert_eq!(difference(&identical), None);
        insta::assert_snapshot!(describe(&identical), @r"
        identical: build 4 (version 2) of `bank`, stream account-7
        1 row and 2 snapshots at position 18,262, from 230 events
        ");
        let different = verification(1, "100,200", r#"{"table":"accounts","expected":{"balance":2},"found":null}"#);
        insta::assert_snapshot!(describe(&different), @r#"
        different: build 4 (version 2) of `bank`, stream account-7
        1 row and 2 snapshots at position 18,262, from 230 events
        accounts has no row
                    not {"balance":2}
        "#);
        insta::assert_snapshot!(difference(&different).unwrap(), @r"
        1 row of the stream is not what its events give: `gnomon verify bank` looks for the cause, `gnomon rebuild bank` builds all again
        2 snapshots were wrong, and are removed: versions 100, 200
        ");
        assert_eq!(
            difference(&verification(0, "100", "")).unwrap(),
            "1 snapshot was wrong, and is removed: version 100"
        );
    }
}

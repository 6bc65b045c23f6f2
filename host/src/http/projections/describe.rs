//! What `/v1/projections` takes and answers.

use serde_json::{Value, json};

use crate::{
    api,
    http::{needs::Needs, openapi::Operation, problem::Code},
};

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    [reading(), operating(), comparing(), looking_back()].into_iter().flatten().collect()
}

fn reading() -> Vec<Operation> {
    let one = "/v1/projections/{name}";
    vec![
        Operation::get(Needs::SEE_EACH, "/v1/projections", "list_projections", "Lists the projections by name, or follows their progress.")
            .query::<api::ProjectionsQuery>()
            .answers::<api::Projections>(200, "The projections.", json!({"projections": [projection()]}))
            .follows("Each event `projection` has a projection as its data, whenever it has changed.")
            .problems(&MODULE_CODES),
        Operation::get(Needs::SEE, one, "get_projection", "One projection with its builds, or follows its progress.")
            .query::<api::ProjectionsQuery>()
            .answers::<api::Projection>(200, "The projection.", projection())
            .follows("Each event `projection` has the projection as its data, whenever it has changed.")
            .problems(&[Code::ProjectionNotFound])
            .problems(&MODULE_CODES),
        Operation::patch(Needs::OPERATE, one, "configure_projection", "Changes what happens at an event that the module cannot handle.")
            .takes::<api::ConfigureProjection>(json!({"on_failure": "park"}))
            .answers::<api::Projection>(200, "The projection as it is now.", projection())
            .problems(&[Code::ProjectionNotFound]),
        Operation::delete(Needs::OPERATE, one, "delete_projection", "Deletes a projection with all its builds and their tables.")
            .answers_nothing(204, "It is deleted.")
            .problems(&[Code::ProjectionNotFound, Code::ViewInUse]),
        Operation::get(Needs::OPERATE, "/v1/projections/{name}/dead-letters", "list_dead_letters", "The events that a build has set aside.")
            .query::<api::DeadLettersQuery>()
            .answers::<api::DeadLettersPage>(
                200,
                "The page, by position.",
                json!({"build": 1, "total": 1, "next": null, "dead_letters": [{
                    "position": 7, "stream": "account-7", "event_type": "Withdrawn", "parked": false,
                    "set_aside_at": "2026-01-01T10:17:00Z",
                    "error": {"position": 7, "kind": "refused", "message": "the account is not open"},
                }]}),
            )
            .problems(&PICK_CODES),
        Operation::get(Needs::OPERATE, "/v1/projections/{name}/history", "list_history", "Every change of a projection and its builds, newest first.")
            .query::<api::HistoryQuery>()
            .answers::<api::HistoryPage>(
                200,
                "The page.",
                json!({"next": null, "history": [{
                    "entry": 1, "at": "2026-01-01T10:17:00Z", "build": 1, "change": "begun", "cause": "version 1 was deployed",
                }]}),
            )
            .problems(&[Code::ProjectionNotFound]),
    ]
}

fn operating() -> Vec<Operation> {
    let operated = || with(&projection(), json!({"build": 1}));
    let activated = || with(&operated(), json!({"replaced": null, "already_active": false, "stands_still_at": null}));
    let now = "The build, and the projection as it is now.";
    vec![
        Operation::post(
            Needs::OPERATE,
            "/v1/projections/{name}/rebuild",
            "rebuild",
            "Begins a new build of a version, from the first event on.",
        )
        .query::<api::RebuildQuery>()
        .answers::<api::Operated>(201, "The new build, and the projection as it is now.", operated())
        .problems(&PICK_CODES)
        .problems(&MODULE_CODES)
        .problems(&[Code::TooManyBuilds]),
        Operation::post(
            Needs::OPERATE,
            "/v1/projections/{name}/activate",
            "activate",
            "Makes a build the one that queries read.",
        )
        .query::<api::BuildQuery>()
        .answers::<api::Activated>(200, now, activated())
        .answers::<api::Activated>(202, "The build becomes active when it has caught up.", activated())
        .problems(&PICK_CODES)
        .problems(&[Code::BuildBehind, Code::ViewInUse]),
        Operation::post(
            Needs::OPERATE,
            "/v1/projections/{name}/rollback",
            "rollback",
            "Makes the build active that was active before.",
        )
        .answers::<api::Activated>(200, now, activated())
        .answers::<api::Activated>(202, "The build becomes active when it has caught up.", activated())
        .problems(&PICK_CODES)
        .problems(&[Code::BuildBehind, Code::ViewInUse]),
        Operation::post(Needs::OPERATE, "/v1/projections/{name}/pause", "pause", "Stops a build.")
            .query::<api::BuildQuery>()
            .answers::<api::Operated>(200, now, operated())
            .problems(&PICK_CODES),
        Operation::post(
            Needs::OPERATE,
            "/v1/projections/{name}/resume",
            "resume",
            "Lets a build that is paused continue.",
        )
        .query::<api::BuildQuery>()
        .answers::<api::Operated>(200, now, operated())
        .problems(&PICK_CODES),
        Operation::post(
            Needs::OPERATE,
            "/v1/projections/{name}/retry",
            "retry",
            "Tries again: a build that stopped, and its dead letters.",
        )
        .query::<api::RetryQuery>()
        .answers::<api::Retried>(200, now, with(&operated(), json!({"overtaken": 0, "behind_others": 0})))
        .problems(&PICK_CODES)
        .problems(&[Code::RetryOutOfOrder]),
        Operation::delete(
            Needs::OPERATE,
            "/v1/projections/{name}/builds/{build}",
            "retire_build",
            "Retires a build: its tables are dropped.",
        )
        .answers_nothing(204, "It is retired.")
        .problems(&PICK_CODES),
    ]
}

fn comparing() -> Vec<Operation> {
    let wait = json!({"type": "string", "examples": ["wait=10"]});
    let comparison = || {
        json!({
            "projection": "bank", "position": 6, "left": {"build": 1, "version": 1}, "right": {"build": 2, "version": 2},
            "identical": true, "tables": [table_comparison()],
        })
    };
    vec![
        Operation::get(Needs::OPERATE, "/v1/projections/{name}/compare", "compare", "Compares two builds row by row, at one position.")
            .query::<api::CompareQuery>()
            .header("Prefer", wait.clone(), "`wait=SECONDS`: how long to wait until both builds are at one position.")
            .answers::<api::Comparison>(200, "The differences.", comparison())
            .problems(&PICK_CODES)
            .problems(&COMPARE_CODES),
        Operation::post(Needs::OPERATE, "/v1/projections/{name}/verify", "verify", "Begins a build that verifies another one.")
            .query::<api::BuildQuery>()
            .answers::<api::VerificationBegun>(
                201,
                "The number of the verification, and the projection as it is now.",
                with(&projection(), json!({"build": 1, "verification": 1})),
            )
            .problems(&PICK_CODES)
            .problems(&MODULE_CODES)
            .problems(&COMPARE_CODES)
            .problems(&[Code::TooManyBuilds]),
        Operation::post(Needs::OPERATE,
            "/v1/projections/{name}/snapshots/verify",
            "verify_snapshots",
            "Checks snapshots of a projection against the events of their streams.",
        )
        .about("All snapshots of up to 100 streams, which are drawn at random. Those that are wrong are removed.")
        .query::<api::VerifySnapshotsQuery>()
        .answers::<api::SnapshotsVerification>(
            200,
            "What was compared.",
            json!({
                "logic": {"projection": "bank", "version": 1, "upcasters": [], "build": 1}, "streams": 3, "snapshots": 12,
                "wrong_snapshots": [], "all": true,
            }),
        )
        .problems(&[
            Code::ProjectionNotFound,
            Code::ModuleNotFound,
            Code::NotPartitioned,
            Code::InvalidModule,
            Code::UpcasterConflict,
            Code::ModulesBusy,
            Code::FoldFailed,
            Code::LimitExceeded,
        ]),
        Operation::get(Needs::OPERATE,
            "/v1/projections/{name}/verify/{verification}",
            "get_verification",
            "The result of a verification.",
        )
        .query::<api::VerificationQuery>()
        .header("Prefer", wait, "`wait=SECONDS`: how long to wait until both builds are at one position.")
        .answers::<api::Verification>(
            200,
            "The result.",
            json!({
                "projection": "bank", "position": 6, "verification": 1, "verified": {"build": 1, "version": 1},
                "identical": true, "cause": null, "batches": {"count": 3, "events": 6, "largest": 2},
                "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "tables": [table_comparison()],
            }),
        )
        .problems(&PICK_CODES)
        .problems(&COMPARE_CODES)
        .problems(&[Code::VerificationNotFound]),
        Operation::delete(Needs::OPERATE, "/v1/projections/{name}/verify/{verification}", "end_verification", "Ends a verification.")
            .answers_nothing(204, "It is ended.")
            .problems(&PICK_CODES)
            .problems(&[Code::VerificationNotFound]),
    ]
}

fn looking_back() -> Vec<Operation> {
    vec![
        Operation::get(
            Needs::OPERATE,
            "/v1/projections/{name}/past-builds",
            "list_past_builds",
            "Lists the builds that show the past.",
        )
        .about("They are made when somebody asks for the past of a read model with `as_of`, and kept for a while.")
        .answers::<api::PastBuilds>(200, "The past builds, newest first.", json!({"past_builds": [past_build()]}))
        .problems(&[Code::ProjectionNotFound]),
        Operation::get(
            Needs::OPERATE,
            "/v1/projections/{name}/past-builds/{past_build}",
            "get_past_build",
            "One build that shows the past.",
        )
        .answers::<api::PastBuild>(200, "The past build.", past_build())
        .problems(&[Code::PastBuildNotFound]),
        Operation::delete(
            Needs::OPERATE,
            "/v1/projections/{name}/past-builds/{past_build}",
            "retire_past_build",
            "Retires a build that shows the past: nothing is left of it.",
        )
        .answers_nothing(204, "It is retired.")
        .problems(&[Code::ProjectionNotFound, Code::PastBuildNotFound]),
    ]
}

/// A past build that is being made.
pub(in crate::http) fn past_build() -> Value {
    json!({
        "past_build": 1, "projection": "bank", "version": 1, "upcasters": [], "position": 4, "state": "replaying",
        "checkpoint": 0, "events_per_second": 0, "seconds_left": null, "error": null, "waits_for": null, "dead_letters": 0,
        "bytes": 16384, "created_at": "2026-01-01T10:17:00Z", "asked_at": "2026-01-01T10:17:00Z",
    })
}

/// Errors of the choice of a build, and of a change that its state does not allow.
const PICK_CODES: [Code; 4] =
    [Code::ProjectionNotFound, Code::BuildNotFound, Code::NoSuitableBuild, Code::WrongBuildState];
/// Errors of loading a module.
const MODULE_CODES: [Code; 4] = [Code::ModuleNotFound, Code::InvalidModule, Code::ModulesBusy, Code::UpcasterConflict];
/// Errors of a comparison.
const COMPARE_CODES: [Code; 7] = [
    Code::NothingToCompare,
    Code::BuildRetired,
    Code::BuildReplaying,
    Code::BuildStopped,
    Code::BarrierTimedOut,
    Code::Locked,
    Code::InvalidHeader,
];

fn projection() -> Value {
    json!({
        "name": "bank", "active_build": 1, "active_version": 1, "on_failure": "halt", "tables": ["accounts"],
        "verifications": [],
        "builds": [{
            "build": 1, "version": 1, "state": "active", "checkpoint": 6, "head": 6, "lag": 0, "events_per_second": 0,
            "seconds_left": null, "error": null, "waits_for": null, "dead_letters": 0, "out_of_order": 0, "upcasters": [],
            "activate_when_live": false, "created_at": "2026-01-01T10:17:00Z", "replaced_at": null,
        }],
    })
}

fn table_comparison() -> Value {
    json!({
        "table": "accounts", "identical": true, "rows_left": 1, "rows_right": 1, "outcome": "compared", "key": ["account"],
        "columns": {"only_left": [], "only_right": [], "retyped": []}, "added": 0, "removed": 0, "changed": 0, "equal": 1,
        "changed_columns": [], "samples": {"added": [], "removed": [], "changed": []},
    })
}

/// The object with more members.
fn with(object: &Value, members: Value) -> Value {
    let objects = [object.as_object().cloned(), members.as_object().cloned()];
    objects.into_iter().flatten().flatten().collect()
}

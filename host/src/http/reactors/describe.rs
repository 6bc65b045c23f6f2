//! What `/v1/reactors` takes and answers.

use serde_json::{Value, json};

use crate::{
    api,
    http::{needs::Needs, openapi::Operation, problem::Code},
};

/// Errors of letting a version of a reactor work.
pub(in crate::http) const REACTOR_CODES: [Code; 3] =
    [Code::ReactorHasBegun, Code::ReactorRowsKept, Code::PositionBeyondHead];

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let one = "/v1/reactors/{name}";
    let now = "The reactor as it is now.";
    vec![
        Operation::get(Needs::SEE_EACH, "/v1/reactors", "list_reactors", "Lists the reactors by name.").answers::<api::Reactors>(
            200,
            "The reactors.",
            json!({"reactors": [reactor()]}),
        ),
        Operation::get(Needs::SEE, one, "get_reactor", "One reactor.")
            .answers::<api::Reactor>(200, "The reactor.", reactor())
            .problems(&[Code::ReactorNotFound]),
        Operation::patch(Needs::OPERATE, one, "configure_reactor", "Changes what happens at an event that the module cannot handle.")
            .takes::<api::ConfigureReactor>(json!({"on_failure": "park"}))
            .answers::<api::Reactor>(200, now, reactor())
            .problems(&[Code::ReactorNotFound]),
        Operation::delete(Needs::OPERATE, one, "delete_reactor", "Deletes a reactor with its rows, its schedules and its dead letters.")
            .about("What it has appended stays, and messages that it has sent to the outbox are delivered.")
            .answers_nothing(204, "It is deleted.")
            .problems(&[Code::ReactorNotFound]),
        Operation::post(Needs::OPERATE, "/v1/reactors/{name}/activate", "activate_reactor", "Lets a version of a reactor work.")
            .about(
                "A reactor that has not begun does so with the event at `from`, or with the next one that comes. Else the version goes on where \
                 the one before stopped, with its rows: what it declares of tables that are there has to fit them.",
            )
            .query::<api::ActivateReactorQuery>()
            .answers::<api::DeployedReactor>(
                200,
                "What has been done.",
                json!({"name": "settlement", "version": 2, "replaced_version": 1}),
            )
            .problems(&REACTOR_CODES)
            .problems(&[Code::ReactorNotFound, Code::ModuleNotFound, Code::InvalidModule, Code::ModulesBusy]),
        Operation::post(Needs::OPERATE, "/v1/reactors/{name}/pause", "pause_reactor", "Stops a reactor.")
            .answers::<api::Reactor>(200, now, reactor())
            .problems(&STATE_CODES),
        Operation::post(Needs::OPERATE, "/v1/reactors/{name}/resume", "resume_reactor", "Lets a reactor that is paused continue.")
            .answers::<api::Reactor>(200, now, reactor())
            .problems(&STATE_CODES),
        Operation::post(Needs::OPERATE,
            "/v1/reactors/{name}/retry",
            "retry_reactor",
            "Tries again: a reactor that stopped, and its dead letters.",
        )
        .query::<api::RetryReactorQuery>()
        .answers::<api::RetriedReactor>(
            200,
            now,
            json!({"overtaken": 0, "behind_others": 0, "reactor": reactor()}),
        )
        .problems(&STATE_CODES)
        .problems(&[Code::RetryOutOfOrder]),
        Operation::get(
            Needs::OPERATE,
            "/v1/reactors/{name}/history",
            "list_reactor_history",
            "Every change of a reactor, newest first.",
        )
            .query::<api::HistoryQuery>()
            .answers::<api::ReactorHistoryPage>(
                200,
                "The page.",
                json!({"next": null, "history": [{
                    "entry": 7, "at": "2026-01-01T10:17:00Z", "version": 1, "change": "paused", "cause": "an operator paused it",
                }]}),
            )
            .problems(&[Code::ReactorNotFound]),
        Operation::get(
            Needs::OPERATE,
            "/v1/reactors/{name}/rehearsal",
            "rehearse_reactor",
            "What a version of a reactor would have done, beside what the version does that works.",
        )
        .about(
            "Both versions are run over the events of the log from where the reactor began, and what they answer from `from` to `to` is shown. Nothing is \
             carried out.",
        )
        .query::<api::RehearseQuery>()
        .answers::<api::Rehearsal>(
            200,
            "What both answer.",
            json!({
                "reactor": "settlement", "version": 2, "active_version": 1, "after": 900, "failure": null, "active_failure": null, "set_aside": 0, "active_set_aside": 0,
                "events": [{
                    "position": 1204, "stream": "transfer-7", "event_type": "TransferRequested", "same": false,
                    "effects": [{"kind": "call", "sink": "clearing", "name": "7", "data": {"amount": 50}}], "active_effects": [],
                }],
            }),
        )
        .problems(&[
            Code::ModuleNotFound,
            Code::InvalidModule,
            Code::ModulesBusy,
            Code::LimitExceeded,
            Code::PastTimedOut,
            Code::UpcasterConflict,
        ]),
        Operation::get(Needs::OPERATE,
            "/v1/reactors/{name}/dead-letters",
            "list_reactor_dead_letters",
            "The events that a reactor has set aside.",
        )
        .query::<api::ReactorDeadLettersQuery>()
        .answers::<api::ReactorDeadLettersPage>(
            200,
            "The page, by position.",
            json!({"total": 1, "next": null, "dead_letters": [{
                "position": 7, "stream": "transfer-7", "event_type": "TransferAsked", "parked": false,
                "set_aside_at": "2026-01-01T10:17:00Z",
                "error": {"position": 7, "kind": "refused", "message": "the account is not open"},
            }]}),
        )
        .problems(&[Code::ReactorNotFound]),
    ]
}

const STATE_CODES: [Code; 2] = [Code::ReactorNotFound, Code::WrongReactorState];

fn reactor() -> Value {
    json!({
        "name": "settlement", "version": 1, "state": "running", "on_failure": "halt", "checkpoint": 1204, "head": 1204,
        "lag": 0, "events_per_second": 0.0, "error": null, "dead_letters": 0, "out_of_order": 0, "schedules": 1,
        "next_due_at": "2026-01-01T10:18:00Z", "began_after": 900, "tables": ["transfers"], "upcasters": [],
        "created_at": "2026-01-01T10:00:00Z", "activated_at": "2026-01-01T10:00:00Z",
    })
}

//! What `/v1/modules` takes and answers.

use serde_json::{Value, json};

use crate::{
    api,
    http::{needs::Needs, openapi::Operation, problem::Code, reactors::REACTOR_CODES},
};

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let version = |what: &str, value: Value| {
        json!({
            "version": 1, "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "bytes": 81920,
            "uploaded_at": "2026-01-01T10:17:00Z", what: value,
        })
    };
    let listed = || version("sdk", descriptor()["sdk"].clone());
    let module = || json!({"name": "bank", "kind": "projection", "latest_version": 1, "versions": [listed()]});
    let uploaded = json!({
        "name": "bank", "version": 1, "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "kind": "projection", "descriptor": descriptor(), "build": 1,
    });
    vec![
        Operation::get(Needs::SEE_EACH, "/v1/modules", "list_modules", "Lists the modules by name, with every version.")
            .answers::<api::Modules>(200, "The modules.", json!({"modules": [module()]})),
        Operation::put(Needs::DEPLOY, "/v1/modules/{name}", "upload_module", "Uploads a component as the next version of a module.")
            .about(
                "A version of a projection gets a build, which is filled with all events. A reactor begins with the next event that comes, or the one \
                 at `from`, and another version goes on where the one before stopped. The same bytes again are the same version.",
            )
            .query::<api::UploadQuery>()
            .takes_bytes("application/wasm")
            .answers::<api::Uploaded>(201, "It is a new version.", uploaded.clone())
            .answers::<api::Uploaded>(200, "The same bytes were uploaded before.", uploaded)
            .problems(&REACTOR_CODES)
            .problems(&[
                Code::InvalidModule,
                Code::ModuleKindChanged,
                Code::ViewNameTaken,
                Code::UpcasterConflict,
                Code::ViewInUse,
                Code::TooManyBuilds,
                Code::LimitExceeded,
                Code::ModulesBusy,
            ]),
        Operation::get(Needs::SEE, "/v1/modules/{name}", "get_module", "One module, with every version.")
            .answers::<api::Module>(200, "The module.", module())
            .problems(&[Code::ModuleNotFound]),
        Operation::get(Needs::SEE, "/v1/modules/{name}/versions/{version}", "get_module_version", "One version of a module.")
            .answers::<api::DescribedVersion>(200, "The version.", version("descriptor", descriptor()))
            .problems(&[Code::ModuleNotFound]),
        Operation::get(Needs::DEPLOY, "/v1/modules/{name}/versions/{version}/wasm", "download_module", "The component of a version.")
            .answers_as(
                200,
                "Its bytes.",
                "application/wasm",
                json!({"type": "string", "format": "binary"}),
                None,
            )
            .answers_header(200, "ETag", json!({"type": "string"}), "The SHA-256 of the bytes.")
            .problems(&[Code::ModuleNotFound]),
    ]
}

fn descriptor() -> Value {
    json!({
        "kind": "projection", "sdk": {"name": "gnomon-sdk", "version": "0.2.0", "language": "Rust"},
        "description": "Bank accounts.",
        "all_types": false, "event_types": [{"type": "Opened"}], "categories": ["account"], "tags": [],
        "tables": [{
            "name": "accounts", "description": "An account.",
            "columns": [
                {"name": "account", "type": "text", "nullable": false},
                {"name": "owner", "description": "Who opened it.", "type": "text", "nullable": false},
            ],
            "key": ["account"],
            "indexes": [{"name": "by_owner", "kind": "btree", "columns": ["owner"]}], "references": [],
        }],
    })
}

//! The parts of paths that have names.

use serde_json::{Value, json};

/// The names of modules, projections and tables.
const IDENTIFIER: &str = "^[a-z_][a-z0-9_]{0,62}$";

/// The description of the part `name` of a path.
pub(super) fn path_parameter(path: &str, name: &str) -> Value {
    let whole_number = || json!({"type": "integer", "format": "int64", "minimum": 1});
    let identifier = || json!({"type": "string", "pattern": IDENTIFIER});
    let (schema, description) = match name {
        "stream" => (json!({"type": "string", "minLength": 1, "maxLength": 255}), "The name of the stream."),
        "version" => (json!({"type": "integer", "format": "int32", "minimum": 1}), "The version of the module."),
        "build" => (whole_number(), "The number of the build."),
        "past_build" => (whole_number(), "The number of the past build."),
        "verification" => (whole_number(), "The number of the verification."),
        "sink" => (json!({"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"}), "The name of the sink."),
        "token" => (json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"}), "The name of the token."),
        "message" => (json!({"type": "string", "format": "uuid"}), "The id of the message."),
        "event_type" => (json!({"type": "string", "minLength": 1, "maxLength": 255}), "The type of events."),
        "forgetting" => (whole_number(), "The number of the forgetting."),
        "code" => (json!({"type": "string"}), "The code of the error."),
        "projection" => (identifier(), "The name of the projection."),
        "table" => (json!({"type": "string"}), "The name of the table."),
        _ if path.starts_with("/v1/projections") => (identifier(), "The name of the projection."),
        _ if path.starts_with("/v1/reactors") => (identifier(), "The name of the reactor."),
        _ if path.starts_with("/v1/upcasters") => (identifier(), "The name of the upcaster."),
        _ => (identifier(), "The name of the module."),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema})
}

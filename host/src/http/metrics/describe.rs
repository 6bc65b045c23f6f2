//! What this route answers.

use serde_json::json;

use crate::http::{needs::Needs, openapi::Operation, problem::Code};

/// The operation of this route.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let summary = "What the host measures, in the text format of Prometheus.";
    let metrics = Operation::get(Needs::OPERATE_HOST, "/metrics", "metrics", summary)
        .answers_as(200, "The measures.", "text/plain", json!({"type": "string"}), None)
        .problems(&[Code::Starting]);
    vec![metrics]
}

//! The description of a route and method: what it takes, what it answers, and with which errors.
//!
//! Each folder of routes describes its own, in `describe.rs` beside the handlers, from the types of [`api`](crate::api).

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{RefOr, Schema, path::ParameterIn},
};

use super::{path_params::path_parameter, problems::problem_answer, reference::reference};
use crate::http::{needs::Needs, problem::Code};

/// The media type of an answer that follows.
const EVENT_STREAM: &str = "text/event-stream";

/// A route and a method.
pub(in crate::http) struct Operation {
    /// The path as the router has it.
    pub(in crate::http) path: &'static str,
    /// The method, in lower case.
    pub(in crate::http) method: &'static str,
    /// What a caller needs for it.
    pub(in crate::http) needs: Needs,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    body: Option<Body>,
    answers: Vec<(u16, Value)>,
    codes: Vec<Code>,
    /// Whether errors have the fields of PostgREST, whose codes are not ours.
    postgrest: bool,
    /// The schemas that it names.
    pub(super) schemas: BTreeMap<String, RefOr<Schema>>,
}

#[derive(Default)]
struct Body {
    content: BTreeMap<&'static str, Value>,
    required: bool,
}

impl Operation {
    pub(in crate::http) fn get(needs: Needs, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("get", needs, path, id, summary)
    }

    pub(in crate::http) fn post(needs: Needs, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("post", needs, path, id, summary)
    }

    pub(in crate::http) fn put(needs: Needs, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("put", needs, path, id, summary)
    }

    pub(in crate::http) fn patch(needs: Needs, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("patch", needs, path, id, summary)
    }

    pub(in crate::http) fn delete(needs: Needs, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("delete", needs, path, id, summary)
    }

    /// Errors that a path may always answer are among its codes from the start.
    fn new(method: &'static str, needs: Needs, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        let mut codes = vec![
            Code::Internal,
            Code::HostNotAllowed,
            Code::InvalidBody,
            Code::InvalidQuery,
            Code::BodyTimeout,
            Code::Overloaded,
            Code::TimedOut,
        ];
        if path.starts_with("/v1/") {
            codes.push(Code::Starting);
        }
        if needs != Needs::Nothing {
            codes.extend([
                Code::Unauthenticated,
                Code::TooManyTries,
                Code::IssuerKeysUnavailable,
                Code::DatabaseUnavailable,
                Code::KeysUnavailable,
            ]);
        }
        if !needs.scopes().is_empty() {
            codes.push(Code::Forbidden);
        }
        if method != "get" {
            codes.push(Code::OriginNotAllowed);
        }
        // Operations wait for locks.
        if method != "get" && matches!(tag(path), "Modules" | "Outbox" | "Projections") {
            codes.push(Code::Locked);
        }
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<Value> = names.map(|name| path_parameter(path, name)).collect();
        if !parameters.is_empty() {
            codes.push(Code::InvalidPath);
        }
        Self {
            path,
            method,
            needs,
            id,
            tag: tag(path),
            summary,
            description: "",
            parameters,
            body: None,
            answers: Vec::new(),
            codes,
            postgrest: false,
            schemas: BTreeMap::new(),
        }
    }

    /// More than the summary says.
    pub(in crate::http) fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Parameters of the query string.
    pub(in crate::http) fn query<P: IntoParams>(mut self) -> Self {
        let parameters = P::into_params(|| Some(ParameterIn::Query));
        self.parameters.extend(parameters.into_iter().map(json_of));
        self
    }

    /// A header of the request that it reads.
    pub(in crate::http) fn header(mut self, name: &str, schema: Value, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "header", "required": false, "description": description, "schema": schema,
        }));
        self
    }

    /// Takes JSON.
    pub(in crate::http) fn takes<T: ToSchema>(self, example: Value) -> Self {
        self.takes_as::<T>("application/json", example)
    }

    /// Takes a type as a media type: for JSON lines, each line is one.
    pub(in crate::http) fn takes_as<T: ToSchema>(mut self, media_type: &'static str, example: Value) -> Self {
        let schema = self.schema_of::<T>();
        self.body().content.insert(media_type, json!({"schema": schema, "example": example}));
        self.with_body_codes(&[Code::MalformedJson, Code::InvalidBody])
    }

    /// Takes bytes.
    pub(in crate::http) fn takes_bytes(mut self, media_type: &'static str) -> Self {
        self.body().content.insert(media_type, json!({"schema": {"type": "string", "format": "binary"}}));
        self.with_body_codes(&[Code::InvalidBody])
    }

    fn body(&mut self) -> &mut Body {
        self.body.get_or_insert_with(|| Body { content: BTreeMap::new(), required: true })
    }

    fn with_body_codes(self, codes: &[Code]) -> Self {
        self.problems(&[Code::BodyTooLarge, Code::UnsupportedMediaType]).problems(codes)
    }

    /// Whether it reads a body.
    pub(in crate::http) fn takes_body(&self) -> bool {
        self.body.is_some()
    }

    /// Answers with JSON.
    pub(in crate::http) fn answers<T: ToSchema>(self, status: u16, description: &str, example: Value) -> Self {
        let mut operation = self;
        let schema = operation.schema_of::<T>();
        operation.answers_as(status, description, "application/json", schema, Some(example))
    }

    /// Answers with a media type.
    pub(in crate::http) fn answers_as(
        mut self,
        status: u16,
        description: &str,
        media_type: &str,
        schema: Value,
        example: Option<Value>,
    ) -> Self {
        let mut content = json!({"schema": schema});
        if let Some(example) = example {
            content["example"] = example;
        }
        let answer = self.answer(status, description);
        answer["content"][media_type] = content;
        self
    }

    /// Answers with what is described already.
    pub(in crate::http) fn answers_with(mut self, status: u16, answer: Value) -> Self {
        *self.answer(status, "") = answer;
        self
    }

    /// Answers with nothing but a status.
    pub(in crate::http) fn answers_nothing(mut self, status: u16, description: &str) -> Self {
        self.answer(status, description);
        self
    }

    /// A header of the answer with this status.
    pub(in crate::http) fn answers_header(mut self, status: u16, name: &str, schema: Value, description: &str) -> Self {
        self.answer(status, "")["headers"][name] = json!({"schema": schema, "description": description});
        self
    }

    /// Follows if the client accepts server-sent events.
    pub(in crate::http) fn follows(self, description: &str) -> Self {
        let schema = json!({"type": "string", "description": description});
        let description = "A page; or events without an end, if `Accept` asks for `text/event-stream`.";
        self.answers_as(200, description, EVENT_STREAM, schema, None)
    }

    fn answer(&mut self, status: u16, description: &str) -> &mut Value {
        let at = match self.answers.iter().position(|(other, _)| *other == status) {
            Some(at) => at,
            None => {
                self.answers.push((status, json!({})));
                self.answers.len() - 1
            }
        };
        let answer = &mut self.answers[at].1;
        if !description.is_empty() {
            answer["description"] = description.into();
        }
        answer
    }

    /// Errors that it may answer.
    pub(in crate::http) fn problems(mut self, codes: &[Code]) -> Self {
        let new = codes.iter().filter(|code| !self.codes.contains(code)).copied().collect::<Vec<_>>();
        self.codes.extend(new);
        self
    }

    /// Its errors have the fields and codes of PostgREST; with these statuses beside those of its codes.
    pub(in crate::http) fn problems_of_postgrest(mut self, statuses: &[StatusCode]) -> Self {
        self.postgrest = true;
        for status in statuses {
            self.answer(status.as_u16(), "");
        }
        self
    }

    /// Adds the schemas of a type to the document; returns what names the type.
    fn schema_of<T: ToSchema>(&mut self) -> Value {
        let mut found = Vec::new();
        T::schemas(&mut found);
        let name = T::name().into_owned();
        found.push((name.clone(), T::schema()));
        self.schemas.extend(found);
        reference(&name)
    }

    /// As the document has it.
    pub(in crate::http) fn to_json(&self) -> Value {
        let mut operation = json!({
            "operationId": self.id, "tags": [self.tag], "summary": self.summary, "responses": {},
        });
        if !self.description.is_empty() {
            operation["description"] = self.description.into();
        }
        operation["security"] = self.security();
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.clone().into();
        }
        if let Some(Body { content, required }) = &self.body {
            operation["requestBody"] = json!({"content": content, "required": required});
        }
        let mut statuses: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
        for code in &self.codes {
            statuses.entry(code.status()).or_default().push(*code);
        }
        for (status, answer) in &self.answers {
            let answer = match StatusCode::from_u16(*status) {
                Ok(status) if status.as_u16() >= 400 || status == StatusCode::MULTIPLE_CHOICES => {
                    problem_answer(status, &[], self.postgrest)
                }
                _ => answer.clone(),
            };
            operation["responses"][status.to_string()] = answer;
        }
        for (status, codes) in &statuses {
            operation["responses"][status.as_str()] = problem_answer(*status, codes, self.postgrest);
        }
        operation
    }

    /// What a caller has to send. One of the scopes is enough, so each is an alternative; to send nothing is one where nothing is needed.
    fn security(&self) -> Value {
        match self.needs {
            Needs::Nothing => json!([]),
            Needs::NothingYet => json!([{}, {"token": []}]),
            Needs::Token => json!([{"token": []}]),
            Needs::One(scopes, _) => scopes.iter().map(|scope| json!({"token": [scope.as_str()]})).collect(),
        }
    }

    /// The codes that it may answer; `None` if they are those of PostgREST as well.
    #[cfg(test)]
    pub(in crate::http) fn codes(&self) -> Option<&[Code]> {
        (!self.postgrest).then_some(&self.codes)
    }
}

/// A part of the description as JSON.
pub(super) fn json_of(part: impl Serialize) -> Value {
    // Its keys are texts, so it is always JSON.
    serde_json::to_value(part).unwrap_or_default()
}

/// The group of routes.
fn tag(path: &str) -> &'static str {
    match path.split('/').find(|part| !part.is_empty() && *part != "v1") {
        Some("events" | "streams" | "stats") => "Log",
        Some("modules" | "deployments" | "upcasters") => "Modules",
        Some("projections") => "Projections",
        Some("reactors") => "Reactors",
        Some("read-models") => "Read models",
        Some("sinks" | "outbox") => "Outbox",
        Some("tokens" | "whoami") => "Access",
        Some("personal-data" | "forgettings") => "Personal data",
        _ => "Host",
    }
}

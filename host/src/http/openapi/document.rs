//! The document: the routes, and the tables of the active builds.

use std::{collections::BTreeMap, sync::OnceLock};

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use super::{
    limits::{MAX_DESCRIBED_COLUMNS, MAX_DESCRIBED_TABLES},
    ordered::Ordered,
    problems,
    routes::routes,
    tables::{Tables, tables},
};
use crate::{
    api::{Activation, After, Direction, Event},
    builds::ReadModelSummary,
    http::forwarded_prefix::ForwardedPrefix,
};

const ABOUT: &str = "Gnomon stores events, folds them into read models with WebAssembly components, and answers queries on the read \
                     models.\n\nEach error is `application/problem+json` with a stable `code`; `/errors/{code}` explains it. Those of read models are those of PostgREST, and have its media type. The tables \
                     of the active builds are described below, and change when another build becomes active.";

/// A document of the OpenAPI version that today's programs read.
#[derive(Serialize)]
struct OpenApi<'a> {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Value,
    paths: Ordered<Ordered<&'a Value>>,
    components: Components<'a>,
}

#[derive(Serialize)]
struct Components<'a> {
    schemas: BTreeMap<&'a str, &'a RawValue>,
    responses: BTreeMap<&'a str, &'a Value>,
    #[serde(rename = "securitySchemes")]
    security_schemes: Value,
}

/// What is the same in every document.
struct Fixed {
    /// Each path with its methods.
    paths: Vec<(String, Vec<(String, Value)>)>,
    schemas: BTreeMap<String, Box<RawValue>>,
}

/// The document in JSON, for clients that reach the host under a prefix.
pub(super) fn document(prefix: &ForwardedPrefix, read_models: &[ReadModelSummary]) -> Result<Bytes, serde_json::Error> {
    let fixed = fixed()?;
    let Tables { paths, schemas, answers, left_out } = tables(read_models)?;
    let fixed_paths = fixed.paths.iter().map(|(path, methods)| {
        (path.clone(), Ordered(methods.iter().map(|(method, operation)| (method.clone(), operation)).collect()))
    });
    let table_paths =
        paths.iter().map(|(path, operation)| (path.clone(), Ordered(vec![("get".to_owned(), operation)])));
    let fixed_schemas = fixed.schemas.iter().map(|(name, schema)| (name.as_str(), &**schema));
    let table_schemas = schemas.iter().map(|(name, schema)| (name.as_str(), &**schema));
    let document = OpenApi {
        openapi: "3.1.0",
        info: info(left_out),
        servers: json!([{"url": prefix.path("/"), "description": "This host."}]),
        tags: tags(),
        paths: Ordered(fixed_paths.chain(table_paths).collect()),
        components: Components {
            schemas: fixed_schemas.chain(table_schemas).collect(),
            responses: answers.iter().map(|(name, answer)| (name.as_str(), answer)).collect(),
            security_schemes: security_schemes(),
        },
    };
    serde_json::to_vec(&document).map(Bytes::from)
}

fn fixed() -> Result<&'static Fixed, serde_json::Error> {
    static FIXED: OnceLock<Fixed> = OnceLock::new();
    if let Some(fixed) = FIXED.get() {
        return Ok(fixed);
    }
    let made = make_fixed()?;
    Ok(FIXED.get_or_init(|| made))
}

fn make_fixed() -> Result<Fixed, serde_json::Error> {
    let mut paths: Vec<(String, Vec<(String, Value)>)> = Vec::new();
    let mut schemas = BTreeMap::new();
    for operation in routes() {
        for (name, schema) in &operation.schemas {
            schemas.insert(name.clone(), to_raw_value(schema)?);
        }
        let described = (operation.method.to_owned(), operation.to_json());
        match paths.iter_mut().find(|(path, _)| *path == operation.path) {
            Some((_, methods)) => methods.push(described),
            None => paths.push((operation.path.to_owned(), vec![described])),
        }
    }
    for (name, schema) in problems::schemas() {
        schemas.insert(name.to_owned(), to_raw_value(&schema)?);
    }
    // Parameters and pages of events name these, and do not say so.
    schemas.insert("Event".to_owned(), to_raw_value(&schema_of::<Event>())?);
    schemas.insert("Activation".to_owned(), to_raw_value(&schema_of::<Activation>())?);
    schemas.insert("After".to_owned(), to_raw_value(&schema_of::<After>())?);
    schemas.insert("Direction".to_owned(), to_raw_value(&schema_of::<Direction>())?);
    Ok(Fixed { paths, schemas })
}

fn schema_of<T: utoipa::PartialSchema>() -> impl Serialize {
    T::schema()
}

fn info(left_out: usize) -> Value {
    let mut about = ABOUT.to_owned();
    if left_out > 0 {
        about += &format!(
            "\n\n{left_out} more tables are not described: at most {MAX_DESCRIBED_TABLES} are, with {MAX_DESCRIBED_COLUMNS} columns in \
             all. `GET /v1/read-models` names all of them."
        );
    }
    json!({
        "title": "Gnomon", "version": env!("CARGO_PKG_VERSION"), "description": about,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    })
}

fn security_schemes() -> Value {
    json!({"token": {
        "type": "http", "scheme": "bearer",
        "description": "A token that `gnomon tokens create` has made. Hosts that were started without authentication take none.",
    }})
}

fn tags() -> Value {
    json!([
        {"name": "Log", "description": "Events and their streams: append, read, follow."},
        {"name": "Read models", "description": "The rows that projections made of the events."},
        {"name": "Projections", "description": "Projections and their builds: see, operate, compare, verify."},
        {"name": "Reactors", "description": "Reactors: see, operate, rehearse."},
        {"name": "Modules", "description": "Components: upload, deploy, and which upcasters are active."},
        {"name": "Outbox", "description": "Messages that reactors send, and the sinks that they go to."},
        {"name": "Access", "description": "Tokens, and what they are for."},
        {"name": "Personal data", "description": "Fields of events that are encrypted, and people who are forgotten."},
        {"name": "Host", "description": "The host itself."},
    ])
}

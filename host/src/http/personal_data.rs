//! `/v1/personal-data`, `/v1/forgettings`

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json, value::RawValue};

use super::{
    extract::{JsonBody, NoParams, PathParams},
    needs::Needs,
    openapi::Operation,
    problem::{Code, Problem},
    server_error::{internal, unavailable},
    state::Api,
};
use crate::{
    api,
    event_log::EventType,
    personal_data::{
        Declaration, DeclareError, DeclaredType, ForgetError, Forgetting, MAX_DECLARED_TYPES, PersonalDataError,
        PersonalFields,
    },
    read_model::Identifier,
};

/// `GET /v1/personal-data`
pub(super) async fn list(State(api): State<Api>, NoParams: NoParams) -> Result<Json<api::PersonalDataTypes>, Problem> {
    let types = api.personal_data.declared().await?;
    Ok(Json(api::PersonalDataTypes { types: types.into_iter().map(listed).collect::<Result<_, _>>()? }))
}

/// `PUT /v1/personal-data/{event_type}`
pub(super) async fn declare(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(event_type): PathParams<String>,
    JsonBody(declared): JsonBody<api::PersonalFieldsOfType>,
) -> Result<Json<api::PersonalDataType>, Problem> {
    let event_type = name_of(event_type)?;
    let entry = |api::PersonalFields { subject, fields, forgotten }| {
        (subject, fields, forgotten.map_or_else(|| "null".to_owned(), |json| json.get().to_owned()))
    };
    let declaration = Declaration::new(declared.subjects.into_iter().map(entry).collect());
    let declaration = declaration.map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
    Ok(Json(listed(api.personal_data.declare(event_type.as_str(), &declaration).await?)?))
}

/// `DELETE /v1/personal-data/{event_type}`
pub(super) async fn remove(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(event_type): PathParams<String>,
) -> Result<StatusCode, Problem> {
    api.personal_data.remove(name_of(event_type)?.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/forgettings`
pub(super) async fn forget(
    State(api): State<Api>,
    NoParams: NoParams,
    JsonBody(forget): JsonBody<api::ForgetSubject>,
) -> Result<(StatusCode, Json<api::Forgetting>), Problem> {
    match api.personal_data.forget(&forget.subject).await? {
        Some(forgetting) => Ok((StatusCode::ACCEPTED, Json(shown(&api, forgetting).await?))),
        None => {
            let (effective_at, finished_at, projections) = (None, None, Vec::new());
            let nothing = api::Forgetting { forgetting: None, keys: 0, effective_at, finished_at, projections };
            Ok((StatusCode::OK, Json(nothing)))
        }
    }
}

/// `GET /v1/forgettings/{forgetting}`
pub(super) async fn forgetting(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(number): PathParams<i64>,
) -> Result<Json<api::Forgetting>, Problem> {
    let found = api.personal_data.forgetting(number).await?;
    let unknown = || Problem::new(Code::ForgettingNotFound, format!("there is no forgetting {number}"));
    Ok(Json(shown(&api, found.ok_or_else(unknown)?).await?))
}

async fn shown(api: &Api, forgetting: Forgetting) -> Result<api::Forgetting, Problem> {
    let Forgetting { number, keys, requested_at: _, effective_at, finished_at, actor: _ } = forgetting;
    let projections = match (effective_at, finished_at) {
        (Some(effective_at), None) => api.operations.not_forgotten(&api.personal_data, effective_at).await?,
        _ => std::collections::BTreeSet::new(),
    };
    let projections = projections.iter().map(Identifier::to_string).collect();
    Ok(api::Forgetting { forgetting: Some(number), keys, effective_at, finished_at, projections })
}

fn name_of(event_type: String) -> Result<EventType, Problem> {
    EventType::new(event_type).map_err(|error| Problem::new(Code::InvalidPath, error.to_string()))
}

fn listed(declared: DeclaredType) -> Result<api::PersonalDataType, Problem> {
    let DeclaredType { event_type, declaration, declared_at, since } = declared;
    let entry = |PersonalFields { subject, fields, forgotten }: &PersonalFields| {
        let forgotten = RawValue::from_string(forgotten.clone()).map_err(|error| internal(&error))?;
        Ok(api::PersonalFields {
            subject: subject.as_ref().map(ToString::to_string),
            fields: fields.iter().map(ToString::to_string).collect(),
            forgotten: Some(forgotten),
        })
    };
    let subjects = declaration.entries().iter().map(entry).collect::<Result<_, Problem>>()?;
    Ok(api::PersonalDataType { event_type, subjects, declared_at, since })
}

impl From<DeclareError> for Problem {
    fn from(error: DeclareError) -> Self {
        let detail = error.to_string();
        match error {
            DeclareError::TooMany => Self::new(Code::LimitExceeded, detail)
                .with("limit", "max_declared_types")
                .with("max", MAX_DECLARED_TYPES),
            DeclareError::NoKeys => Self::new(Code::NoKeyStore, detail),
            DeclareError::Unknown(_) => Self::new(Code::PersonalDataNotDeclared, detail),
            DeclareError::Postgres(error) => error.into(),
        }
    }
}

impl From<ForgetError> for Problem {
    fn from(error: ForgetError) -> Self {
        match error {
            ForgetError::Subject(_) => Self::new(Code::InvalidBody, error.to_string()).with("field", "subject"),
            ForgetError::PersonalData(PersonalDataError::NoKeys) => {
                Self::new(Code::NoKeyStore, PersonalDataError::NoKeys.to_string())
            }
            ForgetError::PersonalData(PersonalDataError::Postgres(error)) => error.into(),
            ForgetError::PersonalData(error) => unavailable(
                Code::KeysUnavailable,
                "the keys of the subject cannot be destroyed now; send the request again",
                &error,
            ),
        }
    }
}

/// The operations of these routes.
pub(super) fn describe() -> Vec<Operation> {
    vec![
        Operation::get(
            Needs::ADMIN,
            "/v1/personal-data",
            "list_personal_data",
            "Lists the types of events with personal fields, by name.",
        )
        .answers::<api::PersonalDataTypes>(200, "The types.", json!({"types": [example()]})),
        Operation::put(
            Needs::ADMIN,
            "/v1/personal-data/{event_type}",
            "declare_personal_data",
            "Declares which fields of a type of events are personal, and whose.",
        )
        .about(
            "From then on they are encrypted when events are appended. It answers when all hosts know of it, some seconds later. Earlier events stay as they are.",
        )
        .takes::<api::PersonalFieldsOfType>(json!({
            "subjects": [{"subject": "/customer_id", "fields": ["/name", "/address/street"], "forgotten": null}],
        }))
        .answers::<api::PersonalDataType>(200, "What is declared.", example())
        .problems(&[Code::NoKeyStore, Code::LimitExceeded]),
        Operation::delete(
            Needs::ADMIN,
            "/v1/personal-data/{event_type}",
            "remove_personal_data",
            "Removes what is declared of a type of events.",
        )
        .about("From some seconds later on, its events are appended as they are. Those that are encrypted stay so, and are read as before.")
        .answers_nothing(204, "It is removed.")
        .problems(&[Code::PersonalDataNotDeclared]),
        Operation::post(Needs::ADMIN, "/v1/forgettings", "forget_subject", "Forgets a person: destroys the keys of a subject.")
            .about(
                "Within some seconds nobody reads its personal fields any more, and then the rows are made again that were made of them. Where this request is broken off, \
                 it may have been done; send it again.",
            )
            .takes::<api::ForgetSubject>(json!({"subject": "customer-7"}))
            .answers::<api::Forgetting>(202, "The keys are destroyed. Rows are made again from now on.", example_of_forgetting())
            .answers::<api::Forgetting>(
                200,
                "The subject has no key: there is nothing to forget.",
                json!({"forgetting": null, "keys": 0, "effective_at": null, "finished_at": null, "projections": []}),
            )
            .problems(&[Code::NoKeyStore]),
        Operation::get(Needs::ADMIN, "/v1/forgettings/{forgetting}", "get_forgetting", "Returns how far a forgetting is.")
            .answers::<api::Forgetting>(200, "How far it is.", example_of_forgetting())
            .problems(&[Code::ForgettingNotFound]),
    ]
}

fn example() -> Value {
    json!({
        "event_type": "CustomerMoved",
        "subjects": [{"subject": "/customer_id", "fields": ["/name", "/address/street"], "forgotten": null}],
        "declared_at": "2026-01-01T10:17:00Z", "since": 4711,
    })
}

fn example_of_forgetting() -> Value {
    json!({
        "forgetting": 3, "keys": 1, "effective_at": "2026-01-01T10:17:11Z", "finished_at": null, "projections": ["customers"],
    })
}

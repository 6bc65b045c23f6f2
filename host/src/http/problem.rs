//! The answer to a request that fails: problem details (RFC 9457), with what PostgREST's clients read where its [dialect](Dialect) is spoken.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{dialect::Dialect, forwarded_prefix::ForwardedPrefix};

/// Says who made an error (RFC 9209).
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// The stable codes. Each has a page under `docs/errors`, which the host serves at `/errors/<code>`.
macro_rules! codes {
    ($($variant:ident $code:literal $status:ident $title:literal,)*) => {
        /// A stable name of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code.
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, as clients see it.
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status.
            pub(super) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// What the code means, in one sentence.
            pub(super) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The page that explains the error, in Markdown.
            pub(super) fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../../docs/errors/", $code, ".md")),)* }
            }
        }
    };
}

codes! {
    AnswerTooLarge "answer_too_large" PAYLOAD_TOO_LARGE "The answer is larger than a limit allows",
    AppendConditionFailed "append_condition_failed" CONFLICT "An event that the append's condition rules out is in the log",
    AppendUnknown "append_unknown" SERVICE_UNAVAILABLE "Whether the events were appended is not known",
    BarrierTimedOut "barrier_timed_out" SERVICE_UNAVAILABLE "The builds did not come to one position in time",
    BodyTimeout "body_timeout" REQUEST_TIMEOUT "The body of the request did not come in time",
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "The body of the request is too large",
    BuildBehind "build_behind" CONFLICT "The build is not as far as what queries have already seen",
    BuildNotFound "build_not_found" NOT_FOUND "The projection has no such build",
    BuildReplaying "build_replaying" CONFLICT "The build is still replaying",
    BuildRetired "build_retired" CONFLICT "The tables of the build are dropped, or about to be",
    BuildStopped "build_stopped" CONFLICT "A stopped build is behind the build that it is compared with",
    DatabaseUnavailable "database_unavailable" SERVICE_UNAVAILABLE "Postgres does not answer",
    DuplicateEventId "duplicate_event_id" UNPROCESSABLE_ENTITY "Two events of the request have the same id",
    DuplicateStream "duplicate_stream" UNPROCESSABLE_ENTITY "Two appends of the request are for the same stream",
    EmptyAppend "empty_append" UNPROCESSABLE_ENTITY "An append needs at least one event",
    EventIdTaken "event_id_taken" CONFLICT "The event id belongs to another event",
    ForgettingNotFound "forgetting_not_found" NOT_FOUND "There is no such forgetting",
    Forbidden "forbidden" FORBIDDEN "The token may not do this",
    FoldFailed "fold_failed" UNPROCESSABLE_ENTITY "The projection cannot handle an event of the stream",
    HostNotAllowed "host_not_allowed" MISDIRECTED_REQUEST "The host is not known by the name that it is asked for",
    Internal "internal" INTERNAL_SERVER_ERROR "The host failed",
    InvalidBody "invalid_body" UNPROCESSABLE_ENTITY "The body of the request is not what is expected",
    InvalidCategory "invalid_category" BAD_REQUEST "The name is not a category of streams",
    InvalidHeader "invalid_header" BAD_REQUEST "A header of the request is not allowed",
    InvalidModule "invalid_module" UNPROCESSABLE_ENTITY "The component is not a module that this host can run",
    InvalidPath "invalid_path" BAD_REQUEST "A part of the path is not allowed",
    InvalidPersonalData "invalid_personal_data" UNPROCESSABLE_ENTITY "Personal data of an event cannot be encrypted as it is",
    InvalidQuery "invalid_query" BAD_REQUEST "A parameter of the query string is not allowed",
    KeysUnavailable "keys_unavailable" SERVICE_UNAVAILABLE "The keys of personal data cannot be used now",
    LimitExceeded "limit_exceeded" PAYLOAD_TOO_LARGE "Something is larger than a limit allows",
    IssuerKeysUnavailable "issuer_keys_unavailable" SERVICE_UNAVAILABLE "The host has no keys of the issuer of JWTs",
    Locked "locked" CONFLICT "A session of Postgres holds a lock that this needs",
    LogUnavailable "log_unavailable" SERVICE_UNAVAILABLE "The log did not answer in time; nothing was appended",
    MalformedJson "malformed_json" BAD_REQUEST "The body of the request is not JSON",
    MessageNotFound "message_not_found" NOT_FOUND "There is no such message in the outbox",
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The path does not take this method",
    ModuleKindChanged "module_kind_changed" CONFLICT "The name belongs to a module of another kind",
    ModuleNotFound "module_not_found" NOT_FOUND "The module or its version does not exist",
    ModulesBusy "modules_busy" SERVICE_UNAVAILABLE "The host has no room for this work with modules now",
    NoKeyStore "no_key_store" CONFLICT "The host has no place for the keys of personal data",
    NoSuitableBuild "no_suitable_build" CONFLICT "The projection has no build that this can be done with",
    NotFound "not_found" NOT_FOUND "The path does not exist",
    NotPartitioned "not_partitioned" CONFLICT "The rows of the projection may depend on several streams",
    NothingToCompare "nothing_to_compare" CONFLICT "A comparison needs two builds",
    OriginNotAllowed "origin_not_allowed" FORBIDDEN "A page of another origin may not change anything",
    Overloaded "overloaded" SERVICE_UNAVAILABLE "The host has as much to do as it takes on",
    PartlyRepeated "partly_repeated" CONFLICT "Some of the events are in the log already, others are not",
    PastTimedOut "past_timed_out" GATEWAY_TIMEOUT "Folding the events of the stream, or rehearsing a reactor, took too long",
    PastBuildNotFound "past_build_not_found" NOT_FOUND "The projection has no such past build",
    PastBuildStopped "past_build_stopped" CONFLICT "The past build has stopped before its position",
    PersonalDataNotDeclared "personal_data_not_declared" NOT_FOUND "Nothing of the type is declared as personal data",
    PositionBeyondHead "position_beyond_head" CONFLICT "The log, or the stream, does not reach so far",
    ProjectionNotFound "projection_not_found" NOT_FOUND "The projection does not exist",
    ProjectionNotReady "projection_not_ready" SERVICE_UNAVAILABLE "No build of the projection has caught up yet",
    QueryTimeout "query_timeout" GATEWAY_TIMEOUT "The query took too long, and was ended",
    ReactorHasBegun "reactor_has_begun" CONFLICT "The reactor has begun already, and goes on where it is",
    ReactorNotFound "reactor_not_found" NOT_FOUND "The reactor does not exist",
    ReactorRowsKept "reactor_rows_kept" CONFLICT "The version's tables do not fit the rows that the reactor keeps",
    ReadModelBehind "read_model_behind" SERVICE_UNAVAILABLE "The read model is not yet at the wanted position",
    ReservedStream "reserved_stream" UNPROCESSABLE_ENTITY "Only the host appends to streams of this category",
    RetryOutOfOrder "retry_out_of_order" CONFLICT "The dead letters can only be retried out of order",
    SinkInUse "sink_in_use" CONFLICT "Messages wait for the sink",
    SinkNotFound "sink_not_found" NOT_FOUND "The sink does not exist",
    Starting "starting" SERVICE_UNAVAILABLE "The host is starting",
    StreamNotFound "stream_not_found" NOT_FOUND "The stream does not exist",
    TableNotFound "table_not_found" NOT_FOUND "The projection has no such table",
    TenantAmbiguous "tenant_ambiguous" BAD_REQUEST "The request names more than one tenant",
    TenantMissing "tenant_missing" BAD_REQUEST "The request does not say which tenant it is for",
    TenantNotFound "tenant_not_found" NOT_FOUND "The host has no such tenant",
    TimedOut "timed_out" SERVICE_UNAVAILABLE "The host did not answer in time",
    TooManyBuilds "too_many_builds" CONFLICT "The projection has as many builds or verifications as it may have",
    TooManyPastBuilds "too_many_past_builds" SERVICE_UNAVAILABLE "All past builds that there may be are in use",
    TooManyQueries "too_many_queries" SERVICE_UNAVAILABLE "Too many queries on the projection run and wait",
    TokenNameTaken "token_name_taken" CONFLICT "There is a token of this name already",
    TokenNotFound "token_not_found" NOT_FOUND "The token does not exist, or is revoked already",
    TooManySinks "too_many_sinks" CONFLICT "There are as many sinks as there may be",
    TooManyTokens "too_many_tokens" CONFLICT "There are as many tokens as there may be",
    TooManyTries "too_many_tries" TOO_MANY_REQUESTS "Too many tokens that the host does not know were tried",
    TooMuchToSend "too_much_to_send" SERVICE_UNAVAILABLE "The answers that are being sent take all their memory",
    Unauthenticated "unauthenticated" UNAUTHORIZED "The request has no token that the host takes",
    UpcastFailed "upcast_failed" UNPROCESSABLE_ENTITY "An upcaster cannot rewrite an event",
    UpcasterConflict "upcaster_conflict" CONFLICT "The upcaster conflicts with another one",
    UpcasterNotFound "upcaster_not_found" NOT_FOUND "The upcaster does not exist, or is not active",
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body of the request has the wrong type",
    VerificationNotFound "verification_not_found" NOT_FOUND "The projection has no such verification",
    ViewInUse "view_in_use" CONFLICT "A view of yours depends on a view of the read model",
    ViewNameTaken "view_name_taken" CONFLICT "A view of another projection has the name already",
    WrongBuildState "wrong_build_state" CONFLICT "The state of the build does not allow this",
    WrongReactorState "wrong_reactor_state" CONFLICT "The state of the reactor does not allow this",
    WrongExpectedVersion "wrong_expected_version" CONFLICT "The stream is not at the expected version",
    WrongMessageState "wrong_message_state" CONFLICT "The state of the message does not allow this",
}

/// A failed request.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Members,
}

/// The members of the body, in the order in which they are written.
#[derive(Debug, Default)]
struct Members(Vec<(String, Value)>);

impl Members {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    fn set(&mut self, name: &str, value: impl Serialize) {
        // Members are texts, numbers and lists of them, which JSON can always hold.
        let value = serde_json::to_value(value).unwrap_or_default();
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Problem {
    /// A problem; `detail` says what went wrong in this case.
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        let mut problem = Self { status: code.status(), headers: Vec::new(), members: Members::default() };
        problem.members.set("type", ForwardedPrefix::current().path(&format!("/errors/{}", code.as_str())));
        problem.members.set("title", code.title());
        problem.members.set("status", code.status().as_u16());
        problem.members.set("detail", detail.into());
        problem.members.set("code", code.as_str());
        if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&code.status()) {
            problem.headers.push((header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        problem
    }

    /// A problem without a code of ours and without a page: its status says the kind.
    pub(super) fn from_status(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut problem = Self { status, headers: Vec::new(), members: Members::default() };
        problem.members.set("type", "about:blank");
        problem.members.set("title", status.canonical_reason().unwrap_or_default());
        problem.members.set("status", status.as_u16());
        problem.members.set("detail", detail.into());
        problem
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// A member, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Adds a member beside the standard ones.
    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.members.set(name, value);
        self
    }

    /// Adds the members that PostgREST's clients read, `code`, `message`, `details` and `hint`, with a code of PostgREST or an SQLSTATE.
    pub(super) fn with_postgrest_code(self, code: &str, details: Option<&str>, hint: Option<&str>) -> Self {
        let message = self.get("detail").cloned();
        self.with("code", code).with("details", details).with("hint", hint).with("message", message)
    }

    /// The same for a problem that has not these members yet, with its own code; and PostgREST's header of errors.
    fn with_postgrest_members(self) -> Self {
        let code = self.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
        let problem = if self.get("message").is_some() { self } else { self.with_postgrest_code(&code, None, None) };
        match HeaderValue::try_from(format!("PostgREST; error={code}")) {
            Ok(status) => problem.with_header(PROXY_STATUS, status),
            Err(_) => problem,
        }
    }

    /// The same problem, met after something was done.
    pub(super) fn after(self, done: &str) -> Self {
        let detail = self.get("detail").and_then(Value::as_str).unwrap_or_default();
        let detail = format!("{done}, but the answer failed: {detail}. Do not repeat the request");
        self.with("detail", detail)
    }

    /// Adds a header.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// As the body of the answer.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members.serialize(serializer)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let dialect = Dialect::current();
        let problem = if dialect == Dialect::Postgrest { self.with_postgrest_members() } else { self };
        let mut response = (problem.status, Json(problem.members)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, dialect.media_type_of_errors());
        headers.extend(problem.headers);
        response
    }
}

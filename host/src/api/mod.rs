//! The wire types of the HTTP API: each request and each answer once, for the host and for the command line.
//!
//! Nothing of the domain is known here: names are texts and positions are numbers, which the host checks when it takes a request.
//! A host refuses fields of a request that it does not know. A client ignores fields of an answer that it does not know, and keeps
//! values of enums that it does not know as they are (see [`open_enum`]), so that it works with newer hosts.
//!
//! JSON within an answer (the data of events, rows) is kept as text, so no number loses a digit.

mod blocker;
mod cloud_event;
mod comparison;
mod dead_letter;
mod deployment;
mod descriptor;
mod event;
mod event_query;
mod expected_version;
mod explanation;
mod history;
mod json_error;
mod message;
mod module;
mod objects;
mod open_enum;
mod operation;
mod page;
mod past;
mod past_build;
mod personal_data;
mod projection;
mod raw_object;
mod reactor;
mod read_model;
mod rehearsal;
mod row;
mod sink;
mod stats;
mod stream;
mod table_query;
mod token;
mod upcaster;
mod verification;

pub use self::{
    blocker::Blocker,
    cloud_event::CloudEvent,
    comparison::{
        ChangedRow, ColumnCount, CompareQuery, ComparedBuild, Comparison, DEFAULT_SAMPLES, MAX_SAMPLES, RetypedColumn,
        RowDifferences, RowSamples, TableColumn, TableColumns, TableComparison, TableKeys, TableOutcome,
        VerificationQuery,
    },
    dead_letter::{DeadLetter, DeadLettersPage, DeadLettersQuery},
    deployment::{DeployedModule, Deployment, NewDeployment, VersionToDeploy},
    descriptor::{
        ColumnDescriptor, ColumnType, Descriptor, IndexDescriptor, IndexKind, ModuleKind, Partition,
        ProjectionDescriptor, ReactorDescriptor, ReferenceDescriptor, Sdk, TableDescriptor, UpcasterDescriptor,
        UpcasterStep, WantedType, Weight,
    },
    event::{
        Append, AppendMany, AppendTo, Appended, AppendedMany, Event, EventsPage, ImportLine, Imported, NewEvent,
        ReadEventsQuery,
    },
    event_query::{AppendCondition, EventQuery, QueryEventsQuery, QueryItem},
    expected_version::ExpectedVersion,
    explanation::{
        EventStatus, ExplainQuery, ExplainedBuild, Explanation, Fold, FoldedOver, PassedOver, RowChange, UpcastedEvent,
    },
    history::{
        HistoryEntry, HistoryPage, HistoryQuery, ReactorHistoryEntry, ReactorHistoryPage, SinkHistoryEntry,
        SinkHistoryPage,
    },
    json_error::json_error,
    message::{Message, MessageState, MessagesPage, MessagesQuery},
    module::{DescribedVersion, Module, ModuleVersion, Modules, UploadQuery, Uploaded},
    operation::{
        Activated, Activation, BuildQuery, Operated, RebuildQuery, ReplacedBuild, Retried, RetryQuery,
        VerificationBegun,
    },
    page::{After, Direction},
    past::{
        HistoryEvent, Logic, RowDifference, RowEffect, SnapshotsVerification, StreamHistory, StreamHistoryQuery,
        StreamState, StreamStateQuery, StreamVerification, VerifySnapshotsQuery, VerifyStreamQuery, WrongSnapshot,
    },
    past_build::{PastBuild, PastBuilds, PastQuery},
    personal_data::{
        ForgetSubject, Forgetting, PersonalDataType, PersonalDataTypes, PersonalFields, PersonalFieldsOfType,
    },
    projection::{
        Build, BuildError, BuildErrorReason, BuildState, ConfigureProjection, FailureKind, Frame, HandledType,
        IgnoredType, ModuleFailure, OnFailure, PinnedUpcaster, Projection, Projections, ProjectionsQuery, Reading,
        RunningVerification,
    },
    reactor::{
        ActivateReactorQuery, ConfigureReactor, DeployedReactor, Reactor, ReactorDeadLettersPage,
        ReactorDeadLettersQuery, ReactorState, Reactors, RetriedReactor, RetryReactorQuery,
    },
    read_model::{ReadModel, ReadModelLinks, ReadModelTable, ReadModels, TableLinks},
    rehearsal::{EffectEvent, Rehearsal, RehearseQuery, RehearsedEffect, RehearsedEvent},
    row::Row,
    sink::{ContentMode, Published, Sink, SinkKind, SinkRetried, SinkSettings, Sinks},
    stats::{
        BuildSize, CategoryCounts, CategoryStats, DEFAULT_STATS_DAYS, DEFAULT_STATS_LIMIT, DayStats, MAX_STATS_DAYS,
        MAX_STATS_LIMIT, Measured, OtherCounts, Stats, StatsQuery, StreamStats, TypeCounts, TypeStats,
    },
    stream::{AppendQuery, ListStreamsQuery, ReadStreamQuery, Stream, StreamPage, StreamsPage},
    table_query::TableQuery,
    token::{CreatedToken, NewToken, Token, Tokens, TokensQuery, Whoami},
    upcaster::{ActivateUpcasterQuery, ActiveUpcaster, NewBuild, UpcasterChanged, Upcasters},
    verification::{Batches, DifferenceCause, Verification},
};

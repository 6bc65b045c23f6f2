//! The wire types of the HTTP API: each request and each answer once, for the host that answers and for the command line that
//! asks.
//!
//! Nothing of the domain is known here: names are texts and places are numbers, which the host checks when it takes a request.
//! A host refuses fields of a request that it does not know. A client passes over fields of an answer that it does not know, and
//! keeps words that it does not know as they are (see [`word`]), so that it works with hosts that are newer.
//!
//! What stands in an answer as JSON of its own (the data of events, rows) is kept as text, so no number loses a digit.

mod comparison;
mod dead_letter;
mod descriptor;
mod event;
mod expected_version;
mod history;
mod module;
mod operation;
mod page;
mod parts;
mod projection;
mod row;
mod stream;
mod upcaster;
mod verification;
mod word;

pub use self::{
    comparison::{
        ChangedRow, ColumnCount, CompareQuery, ComparedBuild, Comparison, DEFAULT_SAMPLES, MAX_SAMPLES, Outcome,
        RetypedColumn, RowDifferences, RowSamples, SamplesQuery, TableColumn, TableColumns, TableComparison, TableKeys,
    },
    dead_letter::{DeadLetter, DeadLettersPage, DeadLettersQuery},
    descriptor::{
        ColumnDescriptor, ColumnType, Descriptor, IndexDescriptor, ModuleKind, Partition, ProjectionDescriptor,
        TableDescriptor, UpcasterDescriptor, UpcasterStep, WantedType,
    },
    event::{
        Append, AppendMany, AppendTo, Appended, AppendedMany, Event, EventsPage, EventsQuery, ImportLine, Imported,
        NewEvent,
    },
    expected_version::ExpectedVersion,
    history::{HistoryEntry, HistoryPage, HistoryQuery},
    module::{Module, ModuleVersion, Modules, UploadQuery, Uploaded},
    operation::{Activation, BuildQuery, Operated, RebuildQuery, Retried, RetryQuery},
    page::{After, Direction},
    projection::{
        Build, BuildError, BuildErrorReason, BuildState, ConfigureProjection, FailureKind, Frame, ModuleFailure,
        OnFailure, PinnedUpcaster, Projection, Projections, Purpose,
    },
    row::Row,
    stream::{Stream, StreamPage, StreamQuery, StreamsPage, StreamsQuery},
    upcaster::{ActiveUpcaster, NewBuild, UpcasterChanged, UpcasterQuery, Upcasters},
    verification::{Batches, Cause, Verification},
};

//! The differences between two builds.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{descriptor::ColumnType, raw_object::RawObject, row::Row};

/// Rows of each kind of difference that are shown for each table if the client does not say how many.
pub const DEFAULT_SAMPLES: usize = 5;
/// The most rows of each kind that a client may ask for.
pub const MAX_SAMPLES: usize = 100;

/// The parameters of `GET /v1/projections/{name}/compare`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CompareQuery {
    /// The build on the left: the active one if this is left out.
    pub left: Option<u64>,
    /// The build on the right: the newest other one if this is left out.
    pub right: Option<u64>,
    /// Rows of each kind of difference, for each table; at most [`MAX_SAMPLES`].
    #[param(maximum = 100, default = 5)]
    pub samples: Option<usize>,
}

/// The parameters of `GET /v1/projections/{name}/verify/{verification}`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VerificationQuery {
    /// Rows of each kind of difference, for each table; at most [`MAX_SAMPLES`].
    #[param(maximum = 100, default = 5)]
    pub samples: Option<usize>,
}

/// What two builds hold at one position.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Comparison {
    /// The projection.
    pub projection: String,
    /// Both builds hold the effect of every event up to this position, and of no later event.
    pub position: u64,
    /// The build on the left.
    pub left: ComparedBuild,
    /// The build on the right.
    pub right: ComparedBuild,
    /// Whether they hold the same tables with the same rows.
    pub identical: bool,
    /// Each table.
    pub tables: Vec<TableComparison>,
}

/// A build that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ComparedBuild {
    /// Its number.
    pub build: u64,
    /// The version that it materialises.
    pub version: u32,
}

/// One table in both builds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TableComparison {
    /// Its name.
    pub table: String,
    /// Whether both builds have it, with the same columns and the same rows. The order in which columns are declared, indexes and
    /// whether a column may be null do not count.
    pub identical: bool,
    /// Rows on the left; null if there is no such table.
    #[schema(required)]
    pub rows_left: Option<u64>,
    /// Rows on the right; null if there is no such table.
    #[schema(required)]
    pub rows_right: Option<u64>,
    /// The rest, whose members stand beside these.
    #[serde(flatten)]
    pub outcome: TableOutcome,
}

/// Whether the rows of a table could be compared.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TableOutcome {
    /// Only the left build has the table.
    OnlyLeft,
    /// Only the right build has the table.
    OnlyRight,
    /// The keys differ in their columns, so rows of one cannot be matched with rows of the other. Only rows are counted.
    OtherKey(TableKeys),
    /// The rows were compared.
    Compared(RowDifferences),
    /// An outcome that this program does not know.
    Other,
}

/// Two tables whose keys differ.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TableKeys {
    /// The columns of the left key.
    pub left_key: Vec<TableColumn>,
    /// The columns of the right key.
    pub right_key: Vec<TableColumn>,
    /// How the columns differ.
    pub columns: TableColumns,
}

/// A column by name and type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TableColumn {
    /// Its name.
    pub column: String,
    /// What its cells hold.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// A column whose type differs between left and right. Its cells are not compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct RetypedColumn {
    /// Its name.
    pub column: String,
    /// What its cells hold on the left.
    pub left: ColumnType,
    /// What its cells hold on the right.
    pub right: ColumnType,
}

/// How the columns of two tables differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TableColumns {
    /// Columns that the right table does not have.
    pub only_left: Vec<TableColumn>,
    /// Columns that the left table does not have.
    pub only_right: Vec<TableColumn>,
    /// Columns of both whose type differs.
    pub retyped: Vec<RetypedColumn>,
}

/// How the rows of two tables differ. Rows with the same key are the same row.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RowDifferences {
    /// The columns of the key, in its order.
    pub key: Vec<String>,
    /// How the columns differ.
    pub columns: TableColumns,
    /// Rows that are only on the right.
    pub added: u64,
    /// Rows that are only on the left.
    pub removed: u64,
    /// Rows of both that differ in a column that both have.
    pub changed: u64,
    /// Rows of both that do not differ.
    pub equal: u64,
    /// For each column that both have, beside the key, in how many rows it differs.
    pub changed_columns: Vec<ColumnCount>,
    /// The first rows of each kind, in the order of the key.
    pub samples: RowSamples,
}

/// In how many rows a column differs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ColumnCount {
    /// Its name.
    pub column: String,
    /// Rows.
    pub rows: u64,
}

/// Rows that differ, with all of their columns.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct RowSamples {
    /// Rows that are only on the right.
    pub added: Vec<Row>,
    /// Rows that are only on the left.
    pub removed: Vec<Row>,
    /// Rows of both that differ.
    pub changed: Vec<ChangedRow>,
}

/// A row that differs.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ChangedRow {
    /// The columns that differ.
    pub columns: Vec<String>,
    /// The row on the left.
    pub before: Row,
    /// The row on the right.
    pub after: Row,
}

impl<'de> Deserialize<'de> for TableComparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            table: String,
            identical: bool,
            rows_left: Option<u64>,
            rows_right: Option<u64>,
            outcome: String,
        }

        let object = RawObject::read(deserializer)?;
        let Members { table, identical, rows_left, rows_right, outcome } = object.members()?;
        let outcome = match outcome.as_str() {
            "only_left" => TableOutcome::OnlyLeft,
            "only_right" => TableOutcome::OnlyRight,
            "other_key" => TableOutcome::OtherKey(object.members()?),
            "compared" => TableOutcome::Compared(object.members()?),
            _ => TableOutcome::Other,
        };
        Ok(Self { table, identical, rows_left, rows_right, outcome })
    }
}

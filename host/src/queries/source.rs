//! From where the rows of a query are read.

use sqlx::{Postgres, postgres::PgArguments, query::Query};

use super::{origin::Origin, page::FIRST_PARAMETER, replayed_rows::ReplayedRows, request::ReadRequest};
use crate::{
    builds::ActiveBuild,
    read_model::{TableSet, query::Sql},
};

/// The bytes of a statement that stays prepared, at most.
const MAX_PREPARED: usize = 4096;

/// From where the rows of a query are read.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    /// From the tables of a build.
    Build(&'s ActiveBuild),
    /// From rows that go along with the statement.
    Replayed(&'s ReplayedRows),
}

impl<'s> Source<'s> {
    /// The tables of the projection.
    pub(super) fn tables(self) -> &'s TableSet {
        match self {
            Self::Build(build) => &build.tables,
            Self::Replayed(replayed) => replayed.rows.tables(),
        }
    }

    /// Where the rows come from, as answers say it.
    pub(super) fn origin(self) -> Origin {
        match self {
            Self::Build(build) => Origin { build: Some(build.number), version: build.version },
            Self::Replayed(replayed) => replayed.origin(),
        }
    }

    /// What stands for the table that is asked, if that is not the table.
    pub(super) fn rows(self) -> Option<&'s str> {
        match self {
            Self::Build(_) => None,
            Self::Replayed(replayed) => Some(&replayed.sql),
        }
    }

    /// The number of the first parameter of the query.
    pub(super) fn first_placeholder(self) -> usize {
        FIRST_PARAMETER
            + match self {
                Self::Build(_) => 0,
                Self::Replayed(replayed) => replayed.rows.parameters(),
            }
    }

    /// The statement for these columns of an answer. Of a build, it reads which build is active, or that a past build is finished, its checkpoint, its
    /// contents and its rows in one snapshot: rows of a build that is no longer active are never returned, and position and contents are exactly those
    /// of the rows.
    pub(super) fn statement(self, columns: &str, sql: &Sql) -> String {
        let (text, answer) = (&sql.text, "AS answer");
        match self {
            Self::Build(_) => format!(
                "/* gnomon reads */ SELECT {columns}
             FROM gnomon.builds AS build
             JOIN gnomon.subscriptions ON subscription = build.build
             CROSS JOIN ({text}) {answer}
             WHERE build.projection = $1 AND build.build = $2 AND (role = 'active' OR work = 'finished')"
            ),
            Self::Replayed(_) => format!(
                "/* gnomon reads */ SELECT {columns}
             FROM (SELECT $1::bigint AS checkpoint, $2::uuid AS contents) AS replayed CROSS JOIN ({text}) {answer}"
            ),
        }
    }

    /// Its parameters. Safe: the SQL is made of constants and of checked names; all values of the reader are bound.
    pub(super) fn bound<'q>(self, text: &'q str, request: ReadRequest<'q>, sql: Sql) -> Query<'q, Postgres, PgArguments>
    where
        's: 'q,
    {
        let mut statement = sqlx::query(text).persistent(sql.can_be_prepared && text.len() <= MAX_PREPARED);
        statement = match self {
            Self::Build(build) => statement.bind(request.projection).bind(build.build),
            Self::Replayed(replayed) => replayed.rows.bind(statement.bind(replayed.position).bind(replayed.contents.0)),
        };
        for param in sql.params {
            statement = statement.bind(param);
        }
        statement
    }
}

//! Past builds: what a read model was at a position, made when somebody asks for it.

use std::sync::Arc;

use super::{Operations, error::OperateError};
use crate::{
    builds::{
        BuildId, BuildNumber, ChangeError, Changes, Event, FoundPast, Lineage, LineageLookup, NewBuild,
        NewBuildPurpose, PastRoom, PastSummary, PickError, begin_past_builds, find_past, lineage, note_asked,
        of_projection, past_build, past_summaries, past_uses, room_for,
    },
    event_log::Position,
    modules::ModuleVersion,
    read_model::{Identifier, Table, TableSet},
};

/// How often room is made for one past build: others may take it.
const TRIES: usize = 5;

impl Operations {
    /// The past build of a projection that shows a position, which is begun if there is none: with the logic of the active build, or with that
    /// of the newest build of a version. The caller has seen that the log has the position.
    ///
    /// # Errors
    /// There is no such projection or version, its tables are not accepted, nothing is active yet, there are too many past builds, the version does not run here, or
    /// Postgres fails.
    pub(crate) async fn past_build<E: From<OperateError>>(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
        position: Position,
        accepts: impl Fn(&TableSet) -> Result<(), E>,
    ) -> Result<FoundPast, E> {
        let lineage = self.lineage_of(name, version).await?;
        if let Some(found) = self.find_past(name, &lineage, position).await? {
            return Ok(found);
        }
        // Before the transaction, since a version may have to be compiled.
        let module = self.modules.load_projection(name, lineage.version).await.map_err(OperateError::from)?;
        // No build is begun for a question that has no answer. The name of the schema does not matter.
        accepts(&TableSet::new(BuildId(0).schema(), module.tables()))?;
        Ok(self.make_room_and_begin(name, &lineage, position, module.tables()).await?)
    }

    async fn lineage_of(&self, name: &Identifier, version: Option<ModuleVersion>) -> Result<Lineage, OperateError> {
        match lineage(&mut *self.pool.acquire().await?, name, version).await? {
            LineageLookup::Found(lineage) => Ok(lineage),
            LineageLookup::NoActiveBuild => Err(OperateError::NothingActive(name.clone())),
            LineageLookup::NoProjection => Err(ChangeError::NoProjection(name.clone()).into()),
        }
    }

    async fn find_past(
        &self,
        name: &Identifier,
        lineage: &Lineage,
        position: Position,
    ) -> Result<Option<FoundPast>, OperateError> {
        let found = find_past(&self.pool, name, lineage, position).await?;
        if let Some(found) = &found {
            note_asked(&self.pool, found).await?;
        }
        Ok(found)
    }

    async fn make_room_and_begin(
        &self,
        name: &Identifier,
        lineage: &Lineage,
        position: Position,
        tables: &[Arc<Table>],
    ) -> Result<FoundPast, OperateError> {
        for _ in 0..TRIES {
            match self.begin_past(name, lineage, position, tables).await? {
                Begun::Found(found) => return Ok(found),
                // Who reads its tables now holds them: then it is in use after all.
                Begun::Retire(build, projection) => self.retire_past_build(&projection, build).await?,
            }
        }
        Err(OperateError::PastBuildsChange(name.clone()))
    }

    /// Begins a past build, unless another host has, or there is no room for it.
    async fn begin_past(
        &self,
        name: &Identifier,
        lineage: &Lineage,
        position: Position,
        tables: &[Arc<Table>],
    ) -> Result<Begun, OperateError> {
        let limits = self.settings.past;
        let (mut transaction, locks) = self.begin().await?;
        let begun = locks.explain(async {
            begin_past_builds(&mut transaction).await?;
            let mut changes = Changes::within(transaction, name).await?;
            if let Some(found) = find_past(&mut *changes.connection(), name, lineage, position).await? {
                return Ok(Begun::Found(found));
            }
            match room_for(name, &past_uses(changes.connection()).await?, &limits) {
                PastRoom::Free => {}
                PastRoom::Retire(build, projection) => return Ok(Begun::Retire(build, projection)),
                PastRoom::Full(error) => return Err(OperateError::TooManyPastBuilds(error)),
            }
            let new = NewBuild {
                version: lineage.version,
                upcasters: lineage.upcasters.clone(),
                purpose: NewBuildPurpose::Past(position),
            };
            changes.begin_build(&new, tables, self.settings.limits, "its position was asked for").await?;
            let found = find_past(&mut *changes.connection(), name, lineage, position).await?;
            changes.commit().await?;
            found.map(Begun::Found).ok_or_else(|| sqlx::Error::RowNotFound.into())
        });
        begun.await
    }

    /// The past builds of a projection, newest first.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn past_builds(&self, name: &Identifier) -> Result<Vec<PastSummary>, OperateError> {
        let found = past_summaries(&self.pool, name, None).await?;
        if found.is_empty() && of_projection(&self.pool, name).await?.is_none() {
            return Err(ChangeError::NoProjection(name.clone()).into());
        }
        Ok(found.into_iter().map(|(_, summary)| summary).collect())
    }

    /// One past build. Whoever looks at it asks for it.
    ///
    /// # Errors
    /// There is no such past build, or Postgres fails.
    pub async fn one_past_build(&self, name: &Identifier, number: BuildNumber) -> Result<PastSummary, OperateError> {
        let (build, summary) = self.find_past_summary(name, number).await?;
        if let Some(found) = past_build(&self.pool, build).await? {
            note_asked(&self.pool, &found).await?;
        }
        Ok(summary)
    }

    /// Retires a past build: nothing is left of it.
    ///
    /// # Errors
    /// There is no such past build, or Postgres fails.
    pub async fn retire_past(&self, name: &Identifier, number: BuildNumber) -> Result<(), OperateError> {
        let (build, _) = self.find_past_summary(name, number).await?;
        self.retire_past_build(name, build).await
    }

    async fn find_past_summary(
        &self,
        name: &Identifier,
        number: BuildNumber,
    ) -> Result<(BuildId, PastSummary), OperateError> {
        let found = past_summaries(&self.pool, name, Some(number)).await?.pop();
        found.ok_or_else(|| PickError::NoPastBuild { projection: name.clone(), past_build: number }.into())
    }

    async fn retire_past_build(&self, projection: &Identifier, build: BuildId) -> Result<(), OperateError> {
        let (transaction, locks) = self.begin().await?;
        let retired = locks.explain(async {
            let mut changes = Changes::within(transaction, projection).await?;
            // It may be gone already.
            changes.apply_all(&[build], Event::Retired, "another one needs its place").await?;
            Ok(changes.commit().await?)
        });
        retired.await
    }
}

/// What became of the beginning of a past build.
enum Begun {
    /// It has begun, here or elsewhere.
    Found(FoundPast),
    /// This one of this projection is to be retired first.
    Retire(BuildId, Identifier),
}

//! Reading the log: every way out of it but following, which is made of these. What they return is decrypted.

use std::time::Duration;

use super::{
    EventLog, Shared,
    direction::Direction,
    event::{Position, RecordedEvent, StreamVersion},
    filter::Filter,
    name::StreamName,
    read::{self, LogPage, PageSize, StreamPage},
};
use crate::personal_data::PERSONAL_DATA_TTL;

impl EventLog {
    /// A page of the log: `after` is the position to begin after, in the direction of reading; `None` begins at the oldest
    /// event forward, at the newest backward.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn read(
        &self,
        direction: Direction,
        after: Option<Position>,
        size: impl Into<PageSize>,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let (reader, size) = (&self.shared.reader, size.into());
        let page = match direction {
            Direction::Forward => reader.forward(after.unwrap_or_default(), size, filter).await?,
            Direction::Backward => reader.backward(after, size, filter).await?,
        };
        self.opened(page).await
    }

    /// The page as it may leave the log.
    async fn opened(&self, mut page: LogPage) -> Result<LogPage, sqlx::Error> {
        self.shared.personal.open(&mut page.events).await?;
        Ok(page)
    }

    /// The matching events after `after`, as [`read`](Self::read) forward returns them, and faster if there are many, or if this host has
    /// just appended them. The head is then the one that this host knows.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn read_batch(
        &self,
        after: Position,
        size: impl Into<PageSize>,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let Shared { reader, head, .. } = &*self.shared;
        let size = size.into();
        let page = match head.recent().page(after, head.now(), size, filter) {
            Some(page) => page,
            None => reader.batch(after, size, filter).await?,
        };
        self.opened(page).await
    }

    /// For how long what is read may be kept for others who read the same; `None` is for as long as one likes. Afterwards a person may have been forgotten
    /// whose data it has.
    #[must_use]
    pub fn may_be_kept_for(&self) -> Option<Duration> {
        (!self.shared.personal.data.is_unused()).then_some(PERSONAL_DATA_TTL)
    }

    /// The events at these positions, in their order.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn read_at(&self, positions: &[Position]) -> Result<Vec<RecordedEvent>, sqlx::Error> {
        let mut events = read::at(&self.shared.pool, positions).await?;
        self.shared.personal.open(&mut events).await?;
        Ok(events)
    }

    /// A page of a stream; `None` if there is no such stream. `after` is the version to begin after, in the direction of
    /// reading.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn read_stream(
        &self,
        name: &StreamName,
        after: Option<StreamVersion>,
        size: impl Into<PageSize>,
        direction: Direction,
    ) -> Result<Option<StreamPage>, sqlx::Error> {
        let mut page = self.shared.reader.stream(name, after, size.into(), direction).await?;
        if let Some(page) = &mut page {
            self.shared.personal.open(&mut page.events).await?;
        }
        Ok(page)
    }
}

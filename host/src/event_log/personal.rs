//! The way in and the way out of personal data: all that comes into the log passes [`Personal::seal`] or [`Personal::seal_lines`], and all that leaves it passes [`Personal::open`].
//!
//! Between them, in the tables and in the memory of the log, personal fields are encrypted. So nothing of the log's own work needs a key, above all nothing that is
//! done under its lock.

use std::time::Duration;

use super::{
    append::{Append, AppendError, Line},
    event::{NewEvent, RecordedEvent},
    json_text::JsonText,
    name::StreamName,
};
use crate::personal_data::{PersonalData, PersonalDataError, Refusal, ToOpen, ToSeal};

/// Encrypts what comes in, and decrypts what goes out.
#[derive(Clone, Debug)]
pub(super) struct Personal {
    pub(super) data: PersonalData,
    /// How long an append waits for a Postgres that is away.
    pub(super) timeout: Duration,
}

impl Personal {
    /// Encrypts the personal fields of appends.
    pub(super) async fn seal(&self, appends: &mut [Append]) -> Result<(), AppendError> {
        if self.data.is_unused() {
            return Ok(());
        }
        match self.seal_each(appends, self.timeout).await?.into_iter().flatten().next() {
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }

    /// The same for each by itself: why it is refused, if it is.
    pub(super) async fn seal_each(
        &self,
        appends: &mut [Append],
        timeout: Duration,
    ) -> Result<Vec<Option<AppendError>>, PersonalDataError> {
        if self.data.is_unused() {
            return Ok(vec![None; appends.len()]);
        }
        let events = appends.iter().flat_map(|append| append.events.iter().map(|event| to_seal(&append.stream, event)));
        let mut sealed = self.data.seal(&events.collect::<Vec<_>>(), timeout).await?.into_iter();
        let seal = |Append { stream, events, .. }: &mut Append| {
            let mut refused = None;
            for (index, event) in events.iter_mut().enumerate() {
                let name = || format!("event {index} of stream `{stream}`");
                let kept = keep(event, sealed.next(), name);
                refused = refused.or(kept.err());
            }
            refused
        };
        Ok(appends.iter_mut().map(seal).collect())
    }

    /// Encrypts the personal fields of the lines of an import, whose first has this number.
    pub(super) async fn seal_lines(&self, lines: &mut [Line], first_line: usize) -> Result<(), AppendError> {
        if self.data.is_unused() {
            return Ok(());
        }
        let events: Vec<_> = lines.iter().map(|(stream, event)| to_seal(stream, event)).collect();
        let mut sealed = self.data.seal(&events, self.timeout).await?.into_iter();
        for (line, (_, event)) in (first_line..).zip(lines) {
            keep(event, sealed.next(), || format!("line {line}"))?;
        }
        Ok(())
    }

    /// Decrypts the personal fields of events that leave the log.
    pub(super) async fn open(&self, events: &mut [RecordedEvent]) -> Result<(), sqlx::Error> {
        if self.data.is_unused() {
            return Ok(());
        }
        let may_be_sealed = |event: &&mut RecordedEvent| PersonalData::may_be_sealed(event.data.as_str());
        let mut sealed: Vec<&mut RecordedEvent> = events.iter_mut().filter(may_be_sealed).collect();
        if sealed.is_empty() {
            return Ok(());
        }
        let to_open: Vec<ToOpen<'_>> = sealed.iter().map(|event| to_open(event)).collect();
        let opened = self.data.open(&to_open).await?;
        for (event, opened) in sealed.iter_mut().zip(opened) {
            let Some(opened) = opened else { continue };
            event.data = JsonText::trusted(opened.data);
            if let Some(metadata) = opened.metadata {
                event.metadata = Some(JsonText::trusted(metadata));
            }
            event.is_personal = true;
        }
        Ok(())
    }
}

/// Takes over what is encrypted of an event.
fn keep(
    event: &mut NewEvent,
    sealed: Option<Result<Option<String>, Refusal>>,
    name: impl Fn() -> String,
) -> Result<(), AppendError> {
    match sealed {
        Some(Ok(Some(data))) => event.data = JsonText::trusted(data),
        Some(Ok(None)) => {}
        Some(Err(error)) => return Err(AppendError::PersonalData { error, event: name() }),
        // There is one for each event.
        None => return Err(AppendError::NoKeys("not all of it was encrypted".to_owned())),
    }
    Ok(())
}

fn to_seal<'e>(stream: &'e StreamName, event: &'e NewEvent) -> ToSeal<'e> {
    ToSeal {
        id: event.id.uuid(),
        stream: stream.as_str(),
        event_type: event.event_type.as_str(),
        data: event.data.as_str(),
        metadata: event.metadata.as_ref().map(JsonText::as_str),
    }
}

fn to_open(event: &RecordedEvent) -> ToOpen<'_> {
    ToOpen {
        position: event.position.0,
        id: event.id,
        stream: event.stream.as_str(),
        event_type: event.event_type.as_str(),
        data: event.data.as_str(),
        metadata: event.metadata.as_ref().map(JsonText::as_str),
    }
}

impl From<PersonalDataError> for AppendError {
    fn from(error: PersonalDataError) -> Self {
        match error {
            PersonalDataError::Postgres(error) => Self::Unavailable(error.to_string()),
            error => Self::NoKeys(error.to_string()),
        }
    }
}

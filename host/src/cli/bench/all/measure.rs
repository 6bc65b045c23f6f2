//! Measuring rows, place by place.

use std::path::{Path, PathBuf};

use super::{
    appends,
    bank::Bank,
    databases::Databases,
    imports, own_write,
    place::Place,
    queries, rebuilds,
    report::MeasuredRow,
    row::{Measurement, PlaceOfRow, Row},
    scale::Scale,
    swap,
    turns::Round,
};
use crate::cli::progress::Progress;

/// Measures rows; only one host runs at a time.
pub(super) struct Measure<'m> {
    pub(super) databases: &'m Databases,
    pub(super) scale: Scale,
    /// The component of the bank, if a place needs it.
    pub(super) component: Option<PathBuf>,
    pub(super) progress: &'m Progress,
}

impl Measure<'_> {
    /// Measures rows, which are in the order of their places.
    pub(super) async fn rows(&self, rows: &[&Row]) -> anyhow::Result<Vec<MeasuredRow>> {
        let mut measured = Vec::with_capacity(rows.len());
        for of_place in rows.chunk_by(|one, other| one.place == other.place) {
            measured.extend(self.rows_of_place(of_place).await?);
        }
        Ok(measured)
    }

    async fn rows_of_place(&self, rows: &[&Row]) -> anyhow::Result<Vec<MeasuredRow>> {
        let mut measured = Vec::with_capacity(rows.len());
        let mut place = None;
        for row in rows {
            let mut rounds = Vec::new();
            for round in 0..self.scale.rounds {
                let at = match &mut place {
                    Some(place) => place,
                    none => none.insert(self.open(row.place).await?),
                };
                let what = format!("{}, round {} of {}", row.name, round + 1, self.scale.rounds);
                self.progress.show(round.into(), Some(self.scale.rounds.into()), what);
                rounds.push(self.round(row, at, round).await.map_err(|error| at.explain(error))?);
                if row.place == PlaceOfRow::EmptyEachRound
                    && let Some(place) = place.take()
                {
                    place.close(self.databases).await?;
                }
            }
            measured.push(MeasuredRow::of(row, &rounds));
        }
        if let Some(place) = place {
            place.close(self.databases).await?;
        }
        Ok(measured)
    }

    async fn open(&self, place: PlaceOfRow) -> anyhow::Result<Place> {
        let bank = match place {
            PlaceOfRow::ManyAccounts => Bank::of_accounts(self.scale.events),
            _ => Bank::of_events(self.scale.events),
        };
        self.progress.show(0, None, "starting a host");
        let mut opened = Place::open(self.databases, bank).await?;
        if let (true, Some(component)) = (place.has_projection(), &self.component) {
            self.fill(&opened, component).await.map_err(|error| opened.explain(error))?;
        }
        Ok(opened)
    }

    async fn fill(&self, place: &Place, component: &Path) -> anyhow::Result<()> {
        place.import(self.scale.events, self.progress).await?;
        self.progress.show(0, None, "deploying the projection of the bank");
        place.deploy(component).await
    }

    async fn round(&self, row: &Row, place: &Place, round: u32) -> anyhow::Result<Round> {
        let scale = self.scale;
        match row.measurement {
            Measurement::Append { clients } => appends::of_one(place, scale, clients, round).await,
            Measurement::AppendOfMany => appends::of_many(place, scale, round).await,
            Measurement::Import => imports::of_bank(place, scale, round, self.progress).await,
            Measurement::Rebuild => rebuilds::one(place, round).await,
            Measurement::TenRebuilds => rebuilds::ten(place, round).await,
            Measurement::OwnWrite => own_write::until_answered(place, scale, round).await,
            Measurement::PointQuery { connections } => queries::by_key(place, scale, connections, round).await,
            Measurement::Page => queries::of_pages(place, scale, round).await,
            Measurement::Swap => swap::under_load(place).await,
        }
    }
}

//! Measuring rows, place by place.

use anyhow::Context;

use super::{
    appends, at_sizes,
    beside::MessageDb,
    catch_ups,
    databases::Databases,
    deliveries, finds, followers, idle_builds, imports, logs,
    modules::Components,
    movements,
    nats::Nats,
    observed, own_write, pasts,
    place::Place,
    publications, queries, reactors, rebuilds,
    report::MeasuredRow,
    row::{Measurement, PlaceOfRow, Row},
    scale::Scale,
    starts, statistics, swap,
    turns::Round,
};
use crate::cli::progress::Progress;

/// Measures rows; only one host works at a time.
pub(super) struct Measure<'m> {
    pub(super) databases: &'m Databases,
    pub(super) scale: Scale,
    pub(super) components: Components,
    /// If it is installed.
    pub(super) message_db: Option<MessageDb>,
    /// If the log is published.
    pub(super) nats: Option<Nats>,
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
        let mut places = Vec::new();
        for row in rows {
            let mut rounds = Vec::new();
            for round in 0..self.scale.rounds {
                if places.is_empty() {
                    places = self.open(row.place).await?;
                }
                let what = format!("{}, round {} of {}", row.name, round + 1, self.scale.rounds);
                self.progress.show(round.into(), Some(self.scale.rounds.into()), what);
                let round = self.round(row, &mut places, round).await;
                rounds.push(round.map_err(|error| places.iter_mut().fold(error, |error, place| place.explain(error)))?);
                if row.place.is_new_each_round() {
                    self.close(&mut places).await?;
                }
            }
            measured.push(MeasuredRow::of(row, &rounds));
        }
        self.close(&mut places).await?;
        Ok(measured)
    }

    /// Opens the place of some rows: several hosts where several logs are compared.
    async fn open(&self, place: PlaceOfRow) -> anyhow::Result<Vec<Place>> {
        let modules = self.components.of(place)?;
        let mut opened = Vec::new();
        for (index, log) in logs::of_place(place, self.scale.events).into_iter().enumerate() {
            self.progress.show(0, None, "starting a host");
            let mut one =
                Place::open(self.databases, log.bank, place.settings(index), place.is_observed(index)).await?;
            let filled = one.fill(&log, &modules, self.progress).await;
            filled.map_err(|error| one.explain(error))?;
            opened.push(one);
        }
        Ok(opened)
    }

    async fn close(&self, places: &mut Vec<Place>) -> anyhow::Result<()> {
        for place in places.drain(..) {
            place.close(self.databases).await?;
        }
        Ok(())
    }

    async fn round(&self, row: &Row, places: &mut [Place], round: u32) -> anyhow::Result<Round> {
        let (scale, progress) = (self.scale, self.progress);
        let place = places.first_mut().context("a row is measured in no place")?;
        match row.measurement {
            Measurement::Append { clients } => appends::of_one(place, scale, clients, round).await,
            Measurement::MessageDb { clients } => {
                let message_db = self.message_db.as_ref().context("message-db is not installed")?;
                appends::beside_message_db(place, message_db, scale, clients, round).await
            }
            Measurement::AppendOfMany => appends::of_many(place, scale, round).await,
            Measurement::Import => imports::of_bank(place, scale, round, progress).await,
            Measurement::Rebuild => rebuilds::one(place, round).await,
            Measurement::TenRebuilds => rebuilds::ten(place, round).await,
            Measurement::OwnWrite { others: false } => own_write::until_answered(place, scale, round).await,
            Measurement::OwnWrite { others: true } => own_write::under_load(place, scale, round).await,
            Measurement::PointQuery { connections } => queries::by_key(place, scale, connections, round).await,
            Measurement::KeptAnswer { connections } => queries::kept(places, scale, connections, round).await,
            Measurement::Page => queries::of_pages(place, scale, round).await,
            Measurement::Stats => statistics::beside_select(place, scale, round).await,
            Measurement::Movements(query) => movements::beside_select(place, scale, query, round).await,
            Measurement::Swap => swap::under_load(place).await,
            Measurement::CatchUp => catch_ups::of_cold_keys(place, scale, round, progress).await,
            Measurement::React { beside } => reactors::beside_projection(place, beside).await,
            Measurement::Publish => {
                let nats = self.nats.as_ref().context("there is no NATS server")?;
                publications::of_log(place, nats, round).await
            }
            Measurement::Deliver => deliveries::by_webhook(place, scale, round).await,
            Measurement::Follow(followers) => followers::beside_one(place, scale, followers, round).await,
            Measurement::RebuildFlights => rebuilds::of_flights(place, round).await,
            Measurement::Find => finds::by_an_index(places, scale, round).await,
            Measurement::Start => starts::until_ready(place, round).await,
            Measurement::Idle { appending } => idle_builds::of_ten(place, scale, appending, round).await,
            Measurement::Observed { work, seen } => observed::beside_unseen(places, seen, work, scale, round).await,
            Measurement::Past { told, of } => pasts::with_and_without_snapshots(places, scale, told, of, round).await,
            Measurement::AtSizes(cost) => at_sizes::of(cost, places, scale, round).await,
        }
    }
}

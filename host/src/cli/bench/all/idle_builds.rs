//! Builds that have nothing to do.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    figure::Figure,
    modules::TEN,
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::{
    api::BuildQuery,
    cli::{bench::append::head, operation::operate},
};

/// How often an event is appended that no build wants: 100 times in a second.
const APPEND_EVERY: Duration = Duration::from_millis(10);
/// It stands in a category that the builds want.
const UNWANTED: &str = r#"{"events":[{"type":"StatementPrinted","data":{}}]}"#;
const COMMITS: &str = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";

/// What the host uses with ten builds, beside the same with all of them paused.
pub(super) async fn of_ten(place: &Place, scale: Scale, appending: bool, round: u32) -> anyhow::Result<Round> {
    let ours = async {
        let head = head(&place.client).await?;
        for name in TEN {
            place.hold(name, head).await?;
        }
        watch(place, scale.time, appending).await
    };
    let beside = async {
        operate_all(place, "pause").await?;
        let figure = watch(place, scale.time, appending).await;
        operate_all(place, "resume").await?;
        figure
    };
    in_turn(round, ours, beside).await
}

async fn operate_all(place: &Place, operation: &str) -> anyhow::Result<()> {
    for name in TEN {
        operate(&place.client, name, operation, &BuildQuery { build: None }).await?;
    }
    Ok(())
}

/// What the host uses for some time, in percent of a core, and the commits of its database. Postgres counts what a session did up to a
/// second later.
async fn watch(place: &Place, time: Duration, appending: bool) -> anyhow::Result<Figure> {
    let mut session = place.session().await?;
    let (before, began, cpu) = (commits(&mut session).await?, Instant::now(), place.cpu());
    let appends = if appending {
        append(place, time).await?
    } else {
        sleep(time).await;
        0
    };
    let seconds = began.elapsed().as_secs_f64();
    let used = cpu.add_to(Figure::default());
    let commits = (commits(&mut session).await? - before) as f64;
    let percent = 100.0 * used.detail("host_cores").unwrap_or_default();
    Ok(Figure { value: percent, ..used }
        .with("commits_per_second", commits / seconds)
        .with("appends_per_second", appends as f64 / seconds))
}

/// Appends what no build wants; returns how often.
async fn append(place: &Place, time: Duration) -> anyhow::Result<u64> {
    let mut connection = place.connection().await?;
    let mut ticks = interval(APPEND_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (began, mut appended) = (Instant::now(), 0);
    while began.elapsed() < time {
        ticks.tick().await;
        let stream = place.bank.movement(appended).stream();
        connection.post(&format!("/v1/streams/{stream}/events"), UNWANTED.to_owned()).await?;
        appended += 1;
    }
    Ok(appended)
}

async fn commits(session: &mut PgConnection) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(COMMITS).fetch_one(session).await?)
}

//! A live query that many follow.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    bank::BankEvent,
    closed_loop::Load,
    connection::{Connection, Following},
    figure::Figure,
    place::Place,
    row::Followers,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::api::Appended;

/// How many follow.
const MANY: usize = 1000;
/// The account on which money is moved.
const MOVED: u64 = 0;
/// How often it is looked whether all have begun.
const EVERY: Duration = Duration::from_millis(5);

/// Many followers, beside one.
pub(super) async fn beside_one(place: &Place, scale: Scale, followers: Followers, round: u32) -> anyhow::Result<Round> {
    raise_open_files();
    let measure = |many| measure(place, scale, followers, many);
    in_turn(round, measure(MANY), measure(1)).await
}

/// Each follower has a connection. Where the limit stays too low, a connection says so.
fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Those who follow. They leave when this is dropped.
struct Follow {
    tasks: JoinSet<anyhow::Result<()>>,
    /// The number of a follower, and the position that it has come to.
    told: mpsc::UnboundedReceiver<(usize, u64)>,
    /// That of each.
    positions: Vec<u64>,
}

impl Follow {
    async fn begin(place: &Place, followers: Followers, many: usize) -> anyhow::Result<Self> {
        let (tell, told) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for number in 0..many {
            let connection = place.connection().await?;
            let account = match followers {
                Followers::Told => MOVED,
                Followers::OneQuery => MOVED + 1,
                Followers::ManyQueries => MOVED + 1 + number as u64,
            };
            let followed = connection.follow(&path(account)).await?;
            tasks.spawn(follow(number, followed, tell.clone()));
        }
        let mut follow = Self { tasks, told, positions: vec![0; many] };
        // Whatever position they begin at.
        follow.reach(1).await?;
        Ok(follow)
    }

    /// Waits until all of them have come to a position.
    async fn reach(&mut self, position: u64) -> anyhow::Result<()> {
        let mut left = self.positions.iter().filter(|reached| **reached < position).count();
        while left > 0 {
            tokio::select! {
                told = self.told.recv() => {
                    let (number, reached) = told.context("nobody follows any more")?;
                    let before = std::mem::replace(&mut self.positions[number], reached);
                    left -= usize::from(before < position && reached >= position);
                }
                Some(ended) = self.tasks.join_next() => {
                    ended??;
                    bail!("a live query of the benchmark has ended");
                }
            }
        }
        Ok(())
    }
}

/// Tells each position that a follower comes to.
async fn follow(
    number: usize,
    mut followed: Following,
    tell: mpsc::UnboundedSender<(usize, u64)>,
) -> anyhow::Result<()> {
    let mut messages = Vec::new();
    while let Some(piece) = followed.next().await? {
        messages.extend_from_slice(&piece);
        if let Some(position) = last_position(&mut messages) {
            // Nobody may measure any more.
            let _ = tell.send((number, position));
        }
    }
    Ok(())
}

/// Takes the messages that are whole, and returns the last position that they come to.
fn last_position(messages: &mut Vec<u8>) -> Option<u64> {
    let mut position = None;
    while let Some(end) = messages.windows(2).position(|two| two == b"\n\n") {
        let message: Vec<u8> = messages.drain(..end + 2).collect();
        position = position_of(&message).or(position);
    }
    position
}

/// The position of a message that says that all changes up to it have come.
fn position_of(message: &[u8]) -> Option<u64> {
    let message = str::from_utf8(message).ok()?;
    let (_, behind) = message.contains("event: position\n").then(|| message.split_once("\"position\":"))??;
    let digits = behind.find(|char: char| !char.is_ascii_digit()).map_or(behind, |end| &behind[..end]);
    digits.parse().ok()
}

fn path(account: u64) -> String {
    format!("/v1/read-models/bank/accounts?account=eq.{}", key(account))
}

fn key(account: u64) -> String {
    BankEvent::of_account(account, false, 0).stream().trim_start_matches("account-").to_owned()
}

/// One client appends, and waits for the row of each; it is told where all who follow are to hear of it.
async fn measure(place: &Place, scale: Scale, followers: Followers, many: usize) -> anyhow::Result<Figure> {
    let mut connection = place.connection().await?;
    let mut follow = Follow::begin(place, followers, many).await?;
    // Those of the turn before leave when their connections are found to be closed.
    while measured(&mut connection, "gnomon_live_followers").await? as usize != many {
        tokio::time::sleep(EVERY).await;
    }
    let row = path(MOVED);
    let mut number = measured(&mut connection, LOOKS).await? as u64;
    let mut one = async |connection: &mut Connection, follow: &mut Follow| {
        number += 1;
        let event = BankEvent::of_account(MOVED, false, number);
        let body = format!(r#"{{"events":[{}]}}"#, event.to_append());
        let appended = connection.post(&format!("/v1/streams/{}/events", event.stream()), body).await?;
        let Appended { last_position, .. } = serde_json::from_slice(&appended)?;
        match followers {
            Followers::Told => follow.reach(last_position).await,
            _ => connection.get_at(&row, last_position).await.map(drop),
        }
    };
    one(&mut connection, &mut follow).await?;
    let looks = measured(&mut connection, LOOKS).await?;
    let (began, cpu, mut times) = (Instant::now(), place.cpu(), Vec::new());
    while times.is_empty() || began.elapsed() < scale.time {
        let asked = Instant::now();
        one(&mut connection, &mut follow).await?;
        times.push(asked.elapsed());
    }
    let (took, commits) = (began.elapsed(), times.len() as f64);
    let looks = measured(&mut connection, LOOKS).await? - looks;
    let load = Load::of(1, took, times);
    let figure = match followers {
        Followers::Told => load.latency(),
        _ => load.rate(1),
    };
    Ok(cpu.add_to(figure.with("looks_per_commit", looks / commits).with("followers", many as f64)))
}

const LOOKS: &str = "gnomon_live_looks_total";

/// What the host measures under a name.
async fn measured(connection: &mut Connection, name: &str) -> anyhow::Result<f64> {
    let measures = connection.get("/metrics").await?;
    let measures = str::from_utf8(&measures)?;
    let value = measures.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.with_context(|| format!("the host of the benchmark does not measure {name}"))?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_of_messages_however_they_are_cut() {
        let text = "event: snapshot\nid: none\ndata: {\"reason\":\"begin\",\"position\":3,\"build\":1}\n\n\
                    event: insert\ndata: {\"position\":4,\"key\":{}}\n\nevent: position\nid: a\ndata: {\"position\":4,\"build\":1}\n\n";
        let (mut messages, mut found) = (Vec::new(), Vec::new());
        for byte in text.bytes().chain(text.bytes()) {
            messages.push(byte);
            found.extend(last_position(&mut messages));
        }
        assert_eq!(found, [4, 4]);
        assert!(messages.is_empty());
        messages.extend(text.bytes().chain(":\n\n".bytes()));
        assert_eq!(last_position(&mut messages), Some(4));
        assert!(messages.is_empty());
    }

    #[test]
    fn each_account_has_a_path_of_its_own() {
        assert_ne!(path(MOVED), path(MOVED + 1));
        assert_eq!(path(7), "/v1/read-models/bank/accounts?account=eq.000007");
    }
}

//! `gnomon doctor`

mod disk;
mod finding;
mod host;
mod outbox;
mod reactors;
mod server;
mod settings;

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use tokio::time::timeout;

use self::{
    disk::Room,
    finding::{Finding, Level},
    host::KnownLog,
};
use super::{client::Client, figures, host::options::ConnectionOptions, output};
use crate::{
    config::{ClientOptions, DataDirOptions, DatabaseOptions, TenantOption, TrustOptions},
    event_log,
    http::WorkSettings,
    postgres::{Examined, embedded::EmbeddedConnection, examine, parse_url},
    subscriptions,
};

/// Hosts that have shown within this time that they live count.
const LIVING: Duration = Duration::from_secs(15);
/// How long a host may take to answer all that it is asked: it waits for Postgres for as long as a few seconds itself.
const HOST_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_URL: &str = "http://127.0.0.1:7070";

/// Look for what is wrong with Postgres, the hosts, reactors and their messages: settings, connections, permissions, disk, clocks.
///
/// Each thing is `ok`, a `warning` or a `problem`, with the reason and what to do. Ends with 1 if there is a problem. Nothing is changed: what
/// is tried in Postgres is rolled back.
///
/// The database is that of --database-url, or else the private Postgres of a host that runs on this machine with this --data-dir. What cannot
/// be reached is left out, and said.
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// URL of a host; several times for several hosts [default: http://127.0.0.1:7070]
    #[arg(long, env = "GNOMON_URL", value_name = "URL", value_delimiter = ',')]
    url: Vec<String>,

    /// File with the token for these hosts. The variable GNOMON_TOKEN has the token itself, and comes first
    #[arg(long, env = "GNOMON_TOKEN_FILE", value_name = "FILE", hide_short_help = true)]
    token_file: Option<PathBuf>,

    #[command(flatten)]
    tenant: TenantOption,

    #[command(flatten)]
    trust: TrustOptions,

    /// Print what was found as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    connections: ConnectionOptions,

    /// Maximum exports of a host, which need a connection each
    #[arg(long, env = "GNOMON_MAX_EXPORTS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_exports as u32)]
    max_exports: u32,

    #[command(flatten)]
    data_dir: DataDirOptions,
}

/// What was found, for scripts.
#[derive(Serialize)]
struct Report<'f> {
    problems: usize,
    warnings: usize,
    skipped: usize,
    findings: &'f [Finding],
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (mut findings, log) = self.look_at_database().await?;
        let saw_database = findings.iter().any(|finding| finding.level != Level::Skipped);
        let saw_host = self.look_at_hosts(&mut findings, log).await?;
        if !saw_database && !saw_host {
            let reasons: Vec<String> = findings.into_iter().map(|finding| finding.found).collect();
            bail!(
                "there is nothing to look at: {}; give the database with --database-url (DATABASE_URL), a host with --url (GNOMON_URL), or the \
                 folder of a private Postgres with --data-dir",
                reasons.join("; ")
            );
        }
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let [problems, warnings, skipped] = [Level::Problem, Level::Warning, Level::Skipped].map(count);
        if self.json {
            output::json(&Report { problems, warnings, skipped, findings: &findings })?;
        } else {
            print(&findings)?;
        }
        let mut rest = figures::counted(warnings as u64, "warning");
        if skipped > 0 {
            rest += &format!(", {skipped} not looked at");
        }
        match problems {
            0 => output::say(format_args!("no problem, {rest}")),
            problems => bail!("{}, {rest}", figures::counted(problems as u64, "problem")),
        }
        Ok(())
    }

    /// What there is to say of the database, and which log it has.
    async fn look_at_database(&self) -> anyhow::Result<(Vec<Finding>, Option<KnownLog>)> {
        let url = match &self.database.database_url {
            Some(url) => url.clone(),
            None => {
                let folder = self.data_dir.folder();
                match EmbeddedConnection::find(&folder) {
                    Ok(Some(connection)) => connection.url(),
                    Ok(None) => {
                        let reason = format!(
                            "no database is given, and no host runs a private Postgres in {}",
                            folder.display()
                        );
                        return Ok((vec![Finding::skipped("reachability", "Postgres", reason)], None));
                    }
                    Err(error) => {
                        return Ok((vec![Finding::skipped("reachability", "Postgres", error.to_string())], None));
                    }
                }
            }
        };
        let examined = match examine(parse_url(&url)?).await {
            Ok(examined) => examined,
            Err(error) => {
                let unreachable = Finding::problem("reachability", "Postgres", error.to_string())
                    .why("hosts cannot use it either, if they connect from here")
                    .advice("does it run, and listen on this address? Do user, password and pg_hba.conf fit? Is a firewall between?");
                return Ok((vec![unreachable], None));
            }
        };
        let judged = self.judge(&examined).await;
        examined.pool.close().await;
        Ok(judged)
    }

    async fn judge(&self, examined: &Examined) -> (Vec<Finding>, Option<KnownLog>) {
        let mut findings = vec![Finding::ok("reachability", "Postgres", &examined.address)];
        findings.extend(server::versions(examined));
        findings.extend(settings::judge(&examined.settings, examined.database_bytes));
        let has_log = examined.schema.applied.is_some() && examined.schema.trouble.is_none();
        let (mut size, mut hosts, mut log) = (None, None, None);
        if has_log {
            match event_log::measure(&examined.pool).await {
                Ok(measured) => size = Some(measured),
                Err(error) => findings.push(Finding::skipped("disk", "log", error.to_string())),
            }
            match event_log::log_id(&examined.pool).await {
                Ok(id) => log = Some(KnownLog { id, of: "the database that was examined".to_owned() }),
                Err(error) => findings.push(Finding::skipped("hosts", "log of the database", error.to_string())),
            }
            match subscriptions::living_hosts(&examined.pool, LIVING).await {
                Ok(living) => hosts = Some(living),
                Err(error) => findings.push(Finding::skipped("hosts", "hosts on the database", error.to_string())),
            }
        }
        let hosts_counted = u32::try_from(hosts.unwrap_or_default()).unwrap_or(u32::MAX);
        findings.push(server::connections(
            examined.allowed.as_ref(),
            self.connections.max_connections,
            self.max_exports,
            hosts_counted,
        ));
        findings.extend(server::rights(examined));
        let room = examined.data_directory.as_deref().filter(|_| examined.is_local).and_then(Room::at);
        findings.extend(disk::judge(size, examined.database_bytes, room));
        findings.push(server::clock("clock of this machine", examined.clock));
        findings.extend(hosts.map(host::living));
        (findings, log)
    }

    /// Looks at the hosts that were named, or at one where it usually is. Returns whether one answered. All should have one log: that of the
    /// database, or else that of the first host.
    async fn look_at_hosts(&self, findings: &mut Vec<Finding>, mut log: Option<KnownLog>) -> anyhow::Result<bool> {
        let default = [DEFAULT_URL.to_owned()];
        let (urls, is_expected) =
            if self.url.is_empty() { (default.as_slice(), false) } else { (self.url.as_slice(), true) };
        let mut saw_host = false;
        for url in urls {
            let (token_file, trust) = (self.token_file.clone(), self.trust.clone());
            let tenant = self.tenant.clone();
            let client = Client::new(&ClientOptions { url: url.clone(), tenant, token_file, trust })?;
            let looked = timeout(HOST_TIMEOUT, host::look(&client, &mut log)).await;
            let Ok(looked) = looked else {
                findings.push(host::stands_still(&client.name(), HOST_TIMEOUT));
                continue;
            };
            match looked {
                Ok(found) => {
                    saw_host = true;
                    findings.extend(found);
                }
                Err(error) => findings.push(host::silent(&client.name(), &error, is_expected)),
            }
        }
        Ok(saw_host)
    }
}

/// Prints what was found, area by area.
fn print(findings: &[Finding]) -> std::io::Result<()> {
    let widest = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let mut areas: Vec<&str> = Vec::new();
    for finding in findings {
        if !areas.contains(&finding.area) {
            areas.push(finding.area);
        }
    }
    for area in areas {
        output::data(area)?;
        for finding in findings.iter().filter(|finding| finding.area == area) {
            output::data(format_args!("  {:<8} {:<widest$}  {}", finding.level.word(), finding.check, finding.found))?;
            for (name, text) in [("why", &finding.why), ("do", &finding.advice)] {
                if let Some(text) = text {
                    output::data(format_args!("           {name:<4}{text}"))?;
                }
            }
        }
    }
    Ok(())
}

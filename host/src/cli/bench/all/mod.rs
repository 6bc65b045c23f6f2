//! `gnomon bench all`

mod against;
mod appends;
mod at_sizes;
mod bank;
mod beside;
mod catch_ups;
mod closed_loop;
mod connection;
mod cpu;
mod databases;
mod deliveries;
mod drawn;
mod figure;
mod finds;
mod flights;
mod followers;
mod host_process;
mod idle_builds;
mod imports;
mod lines;
mod logs;
mod measure;
mod modules;
mod movements;
mod nats;
mod observed;
mod own_write;
mod paced;
mod pasts;
mod place;
mod publications;
mod queries;
mod rare_types;
mod reactors;
mod rebuilds;
mod receiver;
mod report;
mod row;
mod rows;
mod scale;
mod starts;
mod statistics;
mod streams;
mod swap;
mod turns;
mod webhook;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Args, builder::PossibleValuesParser};

use self::{
    against::Earlier,
    beside::MessageDb,
    databases::Databases,
    measure::Measure,
    modules::Components,
    nats::Nats,
    report::Report,
    row::{Measurement, Row},
    rows::ROWS,
    scale::Scale,
};
use crate::{
    cli::{
        host::{StopSignals, options::Seconds},
        output::{self, say},
        progress::Progress,
    },
    config::{DataDirOptions, DatabaseOptions},
};

/// The value of `--json` that is stdout.
const STDOUT: &str = "-";
/// How long dropping the databases may take after Ctrl-C.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// Measure a host of its own beside the limit of each figure, in the same run.
///
/// It makes databases of its own on the server of --database-url, or starts a private Postgres, runs hosts there one after the other, as
/// processes of this program, and drops the databases in the end. Only the rows beside message-db write to a database that is there
/// already, `message_store_bench`, and are left out if it is not; the row that publishes the log needs NATS JetStream. Each row measures what a host does, and beside it a program that does
/// the least that the same work needs: an INSERT, a COPY, a SELECT, the projection in plain Rust. Both sides of a row take turns; what is shown
/// are medians of the rounds. The ratio says how fast the host is where what is beside it is 1: compare ratios, since figures change with the
/// machine and with what else it does. Clients, host and Postgres share the cores of one machine.
///
/// A host has its default settings; variables of the environment, such as GNOMON_MAX_CONNECTIONS, change them.
#[derive(Args, Debug)]
pub(super) struct All {
    /// Measure this row; repeatable [default: all but `traced-…`, `sampled-…`, `scraped-…`, `cost-at-size-…` and `…-1000000`]
    #[arg(long, value_name = "ROW", value_parser = PossibleValuesParser::new(ROWS.map(|row| row.name)))]
    only: Vec<String>,

    /// List the rows, and measure nothing
    #[arg(long)]
    list: bool,

    /// Events of a log that is imported and rebuilt from
    #[arg(long, value_name = "NUMBER", default_value = "1000000", value_parser = clap::value_parser!(u64).range(100..=1_000_000_000))]
    events: u64,

    /// For how long clients ask, each time
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = Seconds::between(0.01, 3600.0))]
    seconds: Seconds,

    /// How often each row is measured
    #[arg(long, value_name = "NUMBER", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,

    /// Write the figures as JSON to a file; without a name to stdout, and the table to stderr
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = STDOUT)]
    json: Option<PathBuf>,

    /// Fail if a ratio is lower than in this file, which --json has written, by more than --tolerance
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// By how much of itself a ratio may be lower than before, since no two runs are equal
    #[arg(long, value_name = "PERCENT", default_value = "25", value_parser = percent, requires = "against")]
    tolerance: f64,

    /// Folder of Gnomon's sources, which have the projections [default: the sources from which this program was built]
    #[arg(long, env = "GNOMON_SOURCES", value_name = "FOLDER")]
    sources: Option<PathBuf>,

    /// NATS server with JetStream, to which the log is published; it keeps none of it [default: one of its own, if `nats-server` is in the PATH]
    #[arg(long, value_name = "URL")]
    nats_url: Option<String>,

    #[command(flatten)]
    data_dir: DataDirOptions,

    #[command(flatten)]
    database: DatabaseOptions,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..100.0).contains(&percent) => Ok(percent),
        _ => Err("give a percentage from 0 to less than 100".to_owned()),
    }
}

impl All {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if self.list {
            return Ok(list()?);
        }
        let scale = Scale { events: self.events, time: self.seconds.0, rounds: self.rounds };
        let earlier = self.against.as_ref().map(|file| Earlier::read(file, scale)).transpose()?;
        let mut signals = StopSignals::listen()?;
        // Apart from the data of other hosts.
        let folder = self.data_dir.folder().join("bench");
        let databases = Databases::open(&self.database, &folder).await?;
        let measured = tokio::select! {
            measured = self.measure(&databases, scale) => measured,
            () = signals.stop(END_TIMEOUT) => Err(anyhow::anyhow!("stopped by a signal")),
        };
        let closed = databases.close().await;
        let report = measured?;
        closed?;
        self.print(&report)?;
        match earlier {
            Some(earlier) => earlier.check(&report, self.tolerance),
            None => Ok(()),
        }
    }

    async fn measure(&self, databases: &Databases, scale: Scale) -> anyhow::Result<Report> {
        let wanted = |row: &&Row| match self.only.is_empty() {
            true => !row.place.only_if_asked(),
            false => self.only.iter().any(|name| name == row.name),
        };
        let mut rows: Vec<&Row> = ROWS.iter().filter(wanted).collect();
        // What can be refused is refused before anything takes long.
        databases.drop(&databases.make().await?).await?;
        let message_db = MessageDb::find(databases.server()).await;
        let is_of_message_db = |row: &Row| matches!(row.measurement, Measurement::MessageDb { .. });
        let is_published = |row: &Row| matches!(row.measurement, Measurement::Publish);
        let mut left_out = Vec::new();
        left_out.extend(message_db.as_ref().err().and_then(|why| leave_out(&mut rows, is_of_message_db, why)));
        let mut nats = None;
        if rows.iter().any(|row| is_published(row)) {
            match Nats::find(self.nats_url.as_deref()).await {
                Ok(found) => nats = Some(found),
                Err(why) => left_out.extend(leave_out(&mut rows, is_published, &why)),
            }
        }
        let left_out = (!left_out.is_empty()).then(|| left_out.join("\n"));
        let components = Components::build(&rows, self.sources.clone()).await?;
        let progress = Progress::start();
        let measure = Measure { databases, scale, components, message_db: message_db.ok(), nats, progress: &progress };
        let rows = measure.rows(&rows).await?;
        Ok(Report::new(databases.version().await?, scale, rows, left_out))
    }

    fn print(&self, report: &Report) -> anyhow::Result<()> {
        match &self.json {
            Some(stdout) if stdout.as_os_str() == STDOUT => {
                say(report.table().trim_fmt());
                output::json(report)?;
            }
            file => {
                output::print_table(&report.table())?;
                if let Some(file) = file {
                    let json = serde_json::to_string_pretty(report)? + "\n";
                    fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
                }
            }
        }
        say(format_args!("\n{}", report.legend()));
        Ok(())
    }
}

fn list() -> std::io::Result<()> {
    let mut table = output::table(&["ROW", "MEASURED", "BESIDE IT", "UNIT"]);
    for row in &ROWS {
        table.add_row([row.name.to_owned(), row.ours.to_owned(), row.beside.to_owned(), row.unit.to_string()]);
    }
    output::print_table(&table)
}

/// Leaves out some rows; returns a line about them, if there were any.
fn leave_out(rows: &mut Vec<&Row>, is_left_out: impl Fn(&Row) -> bool, why: &str) -> Option<String> {
    let left_out: Vec<&Row> = rows.extract_if(.., |row| is_left_out(row)).collect();
    let names: Vec<&str> = left_out.iter().map(|row| row.name).collect();
    (!names.is_empty()).then(|| format!("left out: {}, since {why}", names.join(", ")))
}

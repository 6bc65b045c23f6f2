//! `gnomon psql`

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, bail};
use clap::Args;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::output;
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    postgres::{embedded::EmbeddedConnection, parse_url},
};

/// Open psql on the database of a host, to read the read models with SQL.
///
/// The read models are views in the schema `read_models`, `<projection>_<table>`, which is the first of the search path: `\dv` lists
/// them, and `SELECT * FROM orders_customers` reads one. The session is read-only unless --write is given.
///
/// The database is that of --database-url, or else the private Postgres of a host that runs on this machine with this --data-dir. Its
/// password is read from the data folder, so the command has to run as the user who runs the host, or as root.
#[derive(Args, Debug)]
pub(super) struct Psql {
    /// Arguments for psql, such as -c 'SELECT * FROM orders_customers'
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,

    /// Let the session write, for views, roles and grants of your own. The tables of builds and the schema `gnomon` belong to the host
    #[arg(long)]
    write: bool,

    /// Print the URL of the database, with its password, for another SQL client, and do not open psql
    #[arg(long, conflicts_with_all = ["arguments", "write"])]
    print_url: bool,

    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    data_dir: DataDirOptions,
}

impl Psql {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let url = self.url()?;
        if self.print_url {
            output::data(url)?;
            return Ok(());
        }
        let mut options = "-c search_path=read_models,public".to_owned();
        if !self.write {
            options.push_str(" -c default_transaction_read_only=on");
        }
        let (url, password) = without_password(&url)?;
        let mut psql = Command::new("psql");
        psql.arg("--dbname").arg(url).args(&self.arguments).env("PGOPTIONS", options).env("PGAPPNAME", "gnomon psql");
        if let Some(password) = password {
            psql.env("PGPASSWORD", password);
        }
        // psql takes the place of this process, so that it has the terminal and its signals.
        let error = psql.exec();
        if error.kind() == std::io::ErrorKind::NotFound {
            bail!(
                "psql is not in the PATH; install it (Debian: apt-get install postgresql-client), or use another SQL client with \
                 the URL that `gnomon psql --print-url` prints"
            );
        }
        Err(error).context("cannot run psql")
    }

    /// The URL of the database, with its password.
    fn url(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.database.database_url {
            return Ok(url.clone());
        }
        let folder = self.data_dir.folder();
        match EmbeddedConnection::find(&folder)? {
            Some(connection) => Ok(connection.url()),
            None => bail!(
                "no host runs a private Postgres in {folder}; start one with `gnomon serve`, name its folder with --data-dir \
                 ({demo} is that of `gnomon demo`), or give the database of a host with --database-url",
                folder = folder.display(),
                demo = folder.join("demo").display(),
            ),
        }
    }
}

/// The URL for psql's command line, which other users of the machine can see, and the password apart from it. Parameters that only
/// the host knows are left out.
fn without_password(url: &str) -> anyhow::Result<(String, Option<OsString>)> {
    // Refuses what the host refuses, in the same words.
    parse_url(url)?;
    let mut url = Url::parse(url).map_err(|_| anyhow::anyhow!("the database URL is not one that psql reads"))?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut password = url.password().map(decode);
    // A URL without a host has no place for a password either.
    let _ = url.set_password(None);
    let given: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    for (name, value) in given {
        match name.as_str() {
            "password" => password = Some(value),
            "host" | "hostaddr" | "port" | "user" | "dbname" | "sslmode" | "sslrootcert" | "sslcert" | "sslkey" => {
                url.query_pairs_mut().append_pair(&name, &value);
            }
            _ => {}
        }
    }
    // Within a query, libpq does not read `+` as a blank.
    let query = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(query.as_deref());
    Ok((url.into(), password.map(OsString::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_on_the_command_line_of_psql() {
        for (url, shown, password) in [
            ("postgres://u:p%40ss@h:5432/d", "postgres://u@h:5432/d", Some("p@ss")),
            ("postgres://u@h/d?sslmode=require&password=x", "postgres://u@h/d?sslmode=require", Some("x")),
            ("postgres://u@h/d?sslmode=disable&statement-cache-capacity=10", "postgres://u@h/d?sslmode=disable", None),
            ("postgres://a+b@h/c+d?host=/a%20b", "postgres://a+b@h/c+d?host=%2Fa%20b", None),
            ("postgres:///d?host=/run/postgresql", "postgres:///d?host=%2Frun%2Fpostgresql", None),
        ] {
            let password = password.map(OsString::from);
            assert_eq!(without_password(url).unwrap(), (shown.to_owned(), password), "{url}");
        }
        assert!(without_password("h:5432 d").is_err() && without_password("mysql://h/d").is_err());
    }
}

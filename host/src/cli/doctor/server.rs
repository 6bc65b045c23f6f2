//! What Postgres is, and what it lets a host do.

use super::finding::Finding;
use crate::postgres::{ClockReading, Examined, KEPT_CONNECTIONS, OLDEST_POSTGRES, Right, SchemaState};

/// Comparisons and verifications that run at once, each on a connection beside the others.
const FULL_READS: u32 = 2;
/// The clocks of two machines that are kept by NTP differ by less.
const LARGE_OFFSET: f64 = 1.0;
/// From here on, times in events are wrong to the eye.
const HUGE_OFFSET: f64 = 60.0;

/// Judges its version, its schema and what is between.
pub(super) fn versions(examined: &Examined) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(match examined.major {
        major if major < OLDEST_POSTGRES => Finding::problem("versions", "Postgres", &examined.version)
            .why(format!("Gnomon needs {OLDEST_POSTGRES} or newer"))
            .advice("upgrade Postgres"),
        _ => Finding::ok("versions", "Postgres", &examined.version),
    });
    findings.push(schema(&examined.schema));
    if examined.is_standby {
        findings.push(
            Finding::problem("versions", "role of the server", "a standby")
                .why("it repeats what another server writes, and takes no appends")
                .advice("let DATABASE_URL lead to the primary"),
        );
    }
    if examined.shares_sessions {
        findings.push(
            Finding::problem("versions", "pooler", "shares sessions between connections")
                .why("a host listens, prepares statements and holds locks that live as long as a session, and does not start")
                .advice("connect to Postgres itself, or set pool_mode=session for this database"),
        );
    }
    findings
}

fn schema(SchemaState { applied, known, trouble }: &SchemaState) -> Finding {
    let check = "schema gnomon";
    match (applied, trouble) {
        (_, Some(trouble)) => Finding::problem("versions", check, trouble)
            .why("this program does not start on this database, or cannot work with it")
            .advice("do what it says before a host starts"),
        (None, None) => Finding::warning("versions", check, "there is none yet")
            .why("no host has run on this database")
            .advice("is it the right one? `gnomon serve` makes the schema when it starts, and `gnomon migrate` does nothing else"),
        (Some(applied), None) if applied < known => {
            Finding::warning("versions", check, format!("migration {applied}; this program knows {known}"))
                .why("a host of this version migrates when it starts; older hosts may run beside it meanwhile")
                .advice("`gnomon migrate` at a time of your choice, or start a host")
        }
        (Some(applied), None) => Finding::ok("versions", check, format!("migration {applied}, the newest")),
    }
}

/// Judges how many connections there are for so many hosts, each with pools of `max_connections` and one connection more for each of
/// `max_exports`.
pub(super) fn connections(
    allowed: Option<&(u32, String)>,
    max_connections: u32,
    max_exports: u32,
    hosts: u32,
) -> Finding {
    let (area, check) = ("connections", "connections for hosts");
    let one = max_connections.saturating_add(KEPT_CONNECTIONS).saturating_add(max_exports);
    let needed = one.saturating_mul(hosts.max(1)).saturating_add(FULL_READS);
    let Some((allowed, by)) = allowed else {
        return Finding::skipped(
            area,
            check,
            format!("{needed} needed by {}; how many are allowed is not known", hosts_of(hosts)),
        );
    };
    let found = format!(
        "{allowed} allowed by {by}; {needed} needed by {} of --max-connections {max_connections} and --max-exports {max_exports}",
        hosts_of(hosts)
    );
    if *allowed < needed {
        return Finding::problem(area, check, found)
            .why("a host that gets no connection answers 503, or does not start")
            .advice(format!("raise it to {needed} at least, or start the hosts with fewer --max-connections"));
    }
    if *allowed < needed + one {
        return Finding::warning(area, check, found)
            .why("there is no room for one more host, which an upgrade without a pause needs, nor for who reads with SQL")
            .advice(format!("raise it to {} or more", needed + one));
    }
    Finding::ok(area, check, found)
}

fn hosts_of(hosts: u32) -> String {
    match hosts {
        0 | 1 => "one host".to_owned(),
        hosts => format!("{hosts} hosts"),
    }
}

/// Judges what a host would be refused.
pub(super) fn rights(examined: &Examined) -> Vec<Finding> {
    let judge = |(right, allowed): &(Right, Result<(), String>)| {
        let (check, why, advice) = match right {
            Right::Migrate => {
                ("migrate", "a host cannot bring its schema up to date, and does not start", "see the reason")
            }
            Right::CreateSchemas => (
                "create schemas",
                "each build has a schema of its own: nothing can be deployed",
                "let the owner of the database run GRANT CREATE ON DATABASE … TO …",
            ),
            Right::Listen => (
                "listen",
                "hosts do not hear of each other's commits, and do not start",
                "let DATABASE_URL lead to the primary, and to no pooler of transactions",
            ),
            Right::EndSessions => (
                "end own sessions",
                "a host that stands still with the log's lock stops all appends until Postgres ends its session",
                "let a superuser run GRANT EXECUTE ON FUNCTION pg_terminate_backend(int, bigint) TO …",
            ),
        };
        match allowed {
            Ok(()) => Finding::ok("permissions", check, "yes"),
            Err(reason) if *right == Right::EndSessions => {
                Finding::warning("permissions", check, reason).why(why).advice(advice)
            }
            Err(reason) => Finding::problem("permissions", check, reason).why(why).advice(advice),
        }
    };
    examined.rights.iter().map(judge).collect()
}

/// Judges how far the clock of Postgres is from another one.
pub(super) fn clock(check: impl Into<String>, ClockReading { offset, error }: ClockReading) -> Finding {
    let ahead = if offset < 0.0 { "behind" } else { "ahead of" };
    let found = format!("Postgres is {:.3} s {ahead} it, give or take {error:.3} s", offset.abs());
    let beyond = offset.abs() - error;
    let finding = match beyond {
        _ if beyond > HUGE_OFFSET => Finding::problem("clock", check, found),
        _ if beyond > LARGE_OFFSET => Finding::warning("clock", check, found),
        _ => return Finding::ok("clock", check, found),
    };
    finding
        .why("an event's time is the host's where its writer gives none, and recorded_at is that of Postgres: they differ by as much")
        .advice("let NTP keep the clocks of both machines (timedatectl, chronyc tracking)")
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgPoolOptions;

    use super::*;
    use crate::cli::doctor::finding::Level;

    /// A server with which all is well, and a pool that connects to nothing.
    fn examined() -> Examined {
        let rights = [Right::Migrate, Right::CreateSchemas, Right::Listen, Right::EndSessions];
        Examined {
            address: "gnomon@db/shop".to_owned(),
            version: "15.14".to_owned(),
            major: 15,
            allowed: None,
            shares_sessions: false,
            is_standby: false,
            settings: std::collections::BTreeMap::new(),
            clock: ClockReading { offset: 0.0, error: 0.0 },
            database_bytes: 0,
            data_directory: None,
            is_local: false,
            schema: SchemaState { applied: Some(3), known: 3, trouble: None },
            rights: rights.map(|right| (right, Ok(()))).to_vec(),
            pool: PgPoolOptions::new().connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap(),
        }
    }

    /// What is found that is not as it should be. Each says why that matters and what to do.
    fn wrong(findings: &[Finding]) -> Vec<(&str, Level)> {
        let wrong: Vec<&Finding> = findings.iter().filter(|finding| finding.level != Level::Ok).collect();
        assert!(wrong.iter().all(|finding| finding.why.is_some() && finding.advice.is_some()), "{wrong:?}");
        wrong.iter().map(|finding| (finding.check.as_str(), finding.level)).collect()
    }

    #[tokio::test]
    async fn a_server_is_too_old_a_standby_or_behind_a_pooler() {
        assert!(wrong(&versions(&examined())).is_empty());
        let oldest = Examined { major: OLDEST_POSTGRES, ..examined() };
        assert!(wrong(&versions(&oldest)).is_empty());
        let older = Examined { major: OLDEST_POSTGRES - 1, version: "13.4".to_owned(), ..examined() };
        assert_eq!(wrong(&versions(&older)), [("Postgres", Level::Problem)]);
        assert_eq!(versions(&older)[0].found, "13.4");
        let standby = Examined { is_standby: true, ..examined() };
        assert_eq!(wrong(&versions(&standby)), [("role of the server", Level::Problem)]);
        let pooler = Examined { shares_sessions: true, ..examined() };
        assert_eq!(wrong(&versions(&pooler)), [("pooler", Level::Problem)]);
        let foreign = SchemaState { applied: Some(4), known: 3, trouble: Some("newer".to_owned()) };
        assert_eq!(wrong(&versions(&Examined { schema: foreign, ..examined() })), [("schema gnomon", Level::Problem)]);
    }

    #[tokio::test]
    async fn each_right_that_is_refused_is_found_by_itself() {
        assert!(wrong(&rights(&examined())).is_empty());
        for (refused, check, level) in [
            (Right::Migrate, "migrate", Level::Problem),
            (Right::CreateSchemas, "create schemas", Level::Problem),
            (Right::Listen, "listen", Level::Problem),
            // A host works without it as long as no other one stands still.
            (Right::EndSessions, "end own sessions", Level::Warning),
        ] {
            let mut examined = examined();
            for (right, allowed) in &mut examined.rights {
                if *right == refused {
                    *allowed = Err("permission denied".to_owned());
                }
            }
            let found = rights(&examined);
            assert_eq!((wrong(&found), found.len()), (vec![(check, level)], 4));
            assert!(found.iter().any(|finding| finding.found == "permission denied"), "{found:?}");
        }
    }

    #[test]
    fn a_clock_is_ahead_or_behind() {
        let found = |offset| clock("here", ClockReading { offset, error: 0.25 }).found;
        assert_eq!(found(2.0), "Postgres is 2.000 s ahead of it, give or take 0.250 s");
        assert_eq!(found(-0.5), "Postgres is 0.500 s behind it, give or take 0.250 s");
    }

    #[test]
    fn connections_are_counted_for_all_hosts() {
        let level = |allowed: u32, hosts: u32| {
            connections(Some(&(allowed, "max_connections of the server".to_owned())), 16, 4, hosts).level
        };
        // One host needs 24, and two more for comparisons.
        assert_eq!(
            [level(25, 1), level(26, 1), level(49, 1), level(50, 1)],
            [Level::Problem, Level::Warning, Level::Warning, Level::Ok]
        );
        assert_eq!([level(50, 2), level(73, 3), level(98, 3)], [Level::Warning, Level::Problem, Level::Ok]);
        // A host that is not running yet counts.
        assert_eq!(level(25, 0), Level::Problem);
        assert_eq!(connections(None, 16, 4, 100).level, Level::Skipped);
        let found = connections(Some(&(49, "the role's CONNECTION LIMIT".to_owned())), 16, 4, 2);
        assert_eq!(
            found.found,
            "49 allowed by the role's CONNECTION LIMIT; 50 needed by 2 hosts of --max-connections 16 and --max-exports 4"
        );
        assert_eq!(found.advice.unwrap(), "raise it to 50 at least, or start the hosts with fewer --max-connections");
    }

    #[test]
    fn a_clock_counts_only_as_far_as_it_is_surely_wrong() {
        let level = |offset, error| clock("here", ClockReading { offset, error }).level;
        assert_eq!([level(0.5, 0.0), level(-1.5, 0.0), level(61.0, 0.5)], [Level::Ok, Level::Warning, Level::Problem]);
        assert_eq!([level(-3.0, 2.5), level(62.0, 5.0)], [Level::Ok, Level::Warning]);
    }

    #[test]
    fn a_schema_is_none_old_new_or_of_another() {
        let level = |applied, trouble: Option<&str>| {
            schema(&SchemaState { applied, known: 3, trouble: trouble.map(str::to_owned) }).level
        };
        assert_eq!(
            [level(None, None), level(Some(2), None), level(Some(3), None)],
            [Level::Warning, Level::Warning, Level::Ok]
        );
        assert_eq!(level(Some(4), Some("newer")), Level::Problem);
    }
}

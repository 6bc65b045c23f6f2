//! Whether the host and a program beside it made the same rows: else one of the two does not do the work that is measured.

use sqlx::PgConnection;

/// A table of the host, and that of the program.
struct Pair {
    ours: &'static str,
    beside: &'static str,
    columns: &'static str,
}

const ACCOUNTS: Pair = Pair {
    ours: "read_models.bank_accounts",
    beside: "beside.accounts",
    columns: "account, owner, currency, balance, transactions",
};
const FLIGHTS: [Pair; 4] = [
    Pair {
        ours: "read_models.flights_flight_state",
        beside: "beside.flight_state",
        columns: "flight, last_state, dep_delay, arr_delay",
    },
    Pair {
        ours: "read_models.fleet_aircraft",
        beside: "beside.aircraft",
        columns: "tailnum, arrived, air_time, distance, last_state, airport, last_seen",
    },
    Pair {
        ours: "read_models.punctuality_carrier_daily",
        beside: "beside.carrier_daily",
        columns: "carrier, day, scheduled, departed, cancelled, diverted, arrived, on_time, dep_delay, arr_delay",
    },
    Pair {
        ours: "read_models.punctuality_route",
        beside: "beside.route",
        columns: "origin, dest, scheduled, arrived, air_time, max_arr_delay",
    },
];

/// Compares the accounts that queries read with those of a program.
///
/// # Errors
/// Their rows differ.
pub(in crate::cli::bench::all) async fn check_accounts(session: &mut PgConnection) -> anyhow::Result<()> {
    check(session, &ACCOUNTS).await
}

/// Compares all tables of flights that queries read with those of a program.
///
/// # Errors
/// Their rows differ.
pub(in crate::cli::bench::all) async fn check_flights(session: &mut PgConnection) -> anyhow::Result<()> {
    for pair in &FLIGHTS {
        check(session, pair).await?;
    }
    Ok(())
}

async fn check(session: &mut PgConnection, Pair { ours, beside, columns }: &Pair) -> anyhow::Result<()> {
    let statement = format!(
        "WITH ours AS (SELECT {columns} FROM {ours}), beside AS (SELECT {columns} FROM {beside})
         SELECT (SELECT count(*) FROM (TABLE ours EXCEPT ALL TABLE beside) AS only_ours)
              + (SELECT count(*) FROM (TABLE beside EXCEPT ALL TABLE ours) AS only_beside)"
    );
    let differ: i64 = sqlx::query_scalar(&statement).fetch_one(session).await?;
    anyhow::ensure!(differ == 0, "the host and the program beside it made other rows: {differ} of {ours} differ");
    Ok(())
}

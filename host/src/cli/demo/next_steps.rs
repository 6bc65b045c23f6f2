//! Commands to try next.

use crate::cli::{host::RunningHost, output::say};

pub(super) fn show(host: &RunningHost) {
    let url = host.url();
    say(format_args!(
        "\nTry it, while the host runs at {url}:\n\
         \n  curl '{url}/v1/read-models/punctuality/carrier_daily?carrier=eq.UA&order=day'\
         \n  curl '{url}/v1/read-models/punctuality/route?order=max_arr_delay.desc&limit=3'\
         \n  curl '{url}/v1/projections/punctuality'"
    ));
    if let Some(postgres) = host.postgres() {
        // The demo is often started before `gnomon` is installed.
        let program = std::env::args().next().unwrap_or_else(|| "gnomon".to_owned());
        say(format_args!(
            "\nThe same tables in SQL:\n\n  {program} psql --data-dir '{}' -- -c 'SELECT * FROM fleet_aircraft LIMIT 3'",
            postgres.data_dir().display()
        ));
    }
}

use super::*;

/// Two hosts with eight writers each, which append to the same streams: nothing is lost, doubled or out of order.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_one_log_without_gaps_or_lost_conflicts() {
    const WRITERS: usize = 8;
    const APPENDS: usize = 60;
    let test = TestLog::open_with(EventLogSettings { partition_events: 100, ..EventLogSettings::default() }).await;
    let hosts = [test.log.clone(), test.other_host().await];
    let mut writers = Vec::new();
    for host in &hosts {
        for writer in 0..WRITERS {
            let log = host.clone();
            writers.push(tokio::spawn(async move {
                let mut accepted = Vec::new();
                for number in 0..APPENDS {
                    let name = format!("s-{}", (writer + number) % 5);
                    let page = log.read_stream(&stream(&name), None, 1, Direction::Backward).await.unwrap();
                    let expected = match page {
                        Some(page) => ExpectedVersion::Exact(page.version),
                        None => ExpectedVersion::NoStream,
                    };
                    match append(&log, &name, expected, vec![event("Happened")]).await {
                        Ok(appended) => accepted.push((appended.first_position.0, name, appended.first_version.0)),
                        Err(AppendError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                accepted
            }));
        }
    }
    let mut accepted = Vec::new();
    for writer in writers {
        accepted.extend(writer.await.unwrap());
    }
    accepted.sort();
    let all: Vec<(u64, String, u64)> =
        (1..).zip(test.all().await).map(|(position, (name, version, _))| (position, name, version)).collect();
    assert_eq!(accepted, all, "the log holds the accepted appends, at positions without gaps");
    for number in 0..5 {
        let name = format!("s-{number}");
        let versions: Vec<u64> = all.iter().filter(|event| event.1 == name).map(|event| event.2).collect();
        assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(blocks::unnoted(&test.pool).await, 0);
}

//! `gnomon forget`

use std::time::Duration;

use clap::Args;
use reqwest::Method;

use super::{
    client::Client,
    figures,
    output::{self, say},
    progress::Progress,
};
use crate::{
    api::{ForgetSubject, Forgetting},
    config::ClientOptions,
};

/// How often the host is asked how far it is.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Forget a person: destroy the keys of a subject, so that nobody reads its personal fields any more.
///
/// This cannot be undone. Events stay in the log; readers, and modules that fold them again, find in the place of each field what was declared. Rows that were made of the fields are made again without
/// them. What reactors keep or have sent, and what is in backups of the keys, is not touched: see docs/personal-data.md.
#[derive(Args, Debug)]
pub(super) struct Forget {
    /// The subject, as events name it
    subject: String,

    /// Wait until no rows are left that were made of its fields
    #[arg(long)]
    wait: bool,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Forget {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let body = ForgetSubject { subject: self.subject };
        let request = client.request(Method::POST, &["v1", "forgettings"]).json(&body);
        let mut forgetting: Forgetting = client.json(request).await?;
        let Some(number) = forgetting.forgetting else {
            if self.json {
                output::json(&forgetting)?;
            }
            say("the subject has no key: nothing that is encrypted is of it, or it is forgotten already");
            return Ok(());
        };
        let keys = figures::counted(forgetting.keys as u64, "key");
        say(format_args!("{keys} destroyed, as forgetting {number}; rows are made again without what is forgotten"));
        if self.wait {
            let progress = Progress::start();
            let path = ["v1", "forgettings", &number.to_string()];
            while forgetting.finished_at.is_none() {
                progress.show(0, None, waits_for(&forgetting));
                tokio::time::sleep(ASK_EVERY).await;
                forgetting = client.json(client.get(&path)).await?;
            }
            drop(progress);
            say("it is in no rows any more");
        }
        if self.json {
            output::json(&forgetting)?;
        }
        Ok(())
    }
}

fn waits_for(forgetting: &Forgetting) -> String {
    match (forgetting.effective_at, forgetting.projections.as_slice()) {
        (None, _) => "waiting until no host reads with the key any more".to_owned(),
        (Some(_), []) => "the last rows are looked for".to_owned(),
        (Some(_), projections) => format!("rows are made again: {}", projections.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_waited_for() {
        let mut forgetting =
            Forgetting { forgetting: Some(1), keys: 1, effective_at: None, finished_at: None, projections: Vec::new() };
        assert_eq!(waits_for(&forgetting), "waiting until no host reads with the key any more");
        forgetting.effective_at = Some(gnomon_values::Instant(0));
        assert_eq!(waits_for(&forgetting), "the last rows are looked for");
        forgetting.projections = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(waits_for(&forgetting), "rows are made again: a, b");
    }
}

//! Making, changing and removing a sink.

use clap::{Args, ValueEnum};
use reqwest::{Method, StatusCode};

use crate::{
    api::{ContentMode, Sink, SinkKind, SinkRetried, SinkSettings},
    cli::{
        client::Client,
        figures,
        output::{self, say},
    },
    config::ClientOptions,
};

/// Make a sink, or change it: what is left out has its default.
#[derive(Args, Debug)]
pub(super) struct Put {
    /// The sink
    sink: String,

    /// How messages go there
    #[arg(long)]
    kind: Kind,

    /// The address, without a user and a password
    // Not `url`, which is the host's.
    #[arg(long = "to", value_name = "URL")]
    address: String,

    /// Where the secret is that signs messages: env:GNOMON_SECRET_…, a variable of the host, or file:/…, a file in its --secrets-dir
    #[arg(long, value_name = "REFERENCE")]
    secret: Option<String>,

    /// Where the value of the header Authorization is, likewise; for NATS, `user:password`, or a token
    #[arg(long, value_name = "REFERENCE")]
    credentials: Option<String>,

    /// How a CloudEvent is written
    #[arg(long, default_value = "structured")]
    content_mode: Mode,

    /// The subject in NATS, such as `orders.{type}`: of a message with {type}, {reactor}, {key} and {subject}, of an event of the log with {category},
    /// {type} and {stream}
    #[arg(long)]
    subject: Option<String>,

    /// The stream of JetStream that gets the log
    #[arg(long)]
    stream: Option<String>,

    /// The position after which the log is published to a stream that is empty [default: 0]
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,

    /// Seconds that a try may take [default: 10]
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: Option<u32>,

    /// Tries, before a message has failed [default: 20]
    #[arg(long, value_name = "NUMBER")]
    max_tries: Option<u32>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// By POST, as CloudEvents, signed as Standard Webhooks say
    Webhook,
    /// By POST, the data of a call alone; what is answered comes back to the reactor
    Endpoint,
    /// To a stream of NATS JetStream, as CloudEvents
    Nats,
    /// Each event of the log, to a stream of NATS JetStream, as CloudEvents
    Log,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Attributes and data in one JSON object
    Structured,
    /// The attributes in headers, and the data alone
    Binary,
}

/// Send what waits for a sink now, and what has failed.
///
/// Messages that wait for their next try are sent without the pause. Of those that have failed, the 1,000 oldest are sent again, calls excepted: their
/// reactors were told.
#[derive(Args, Debug)]
pub(super) struct Retry {
    /// The sink
    sink: String,

    #[command(flatten)]
    client: ClientOptions,
}

/// Remove a sink for which no messages wait.
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// The sink
    sink: String,

    #[command(flatten)]
    client: ClientOptions,
}

impl Put {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let settings = SinkSettings {
            kind: match self.kind {
                Kind::Webhook => SinkKind::Webhook,
                Kind::Endpoint => SinkKind::Endpoint,
                Kind::Nats => SinkKind::Nats,
                Kind::Log => SinkKind::Log,
            },
            url: self.address,
            secret: self.secret,
            credentials: self.credentials,
            content_mode: match self.content_mode {
                Mode::Structured => ContentMode::Structured,
                Mode::Binary => ContentMode::Binary,
            },
            subject: self.subject,
            stream: self.stream,
            after: self.after,
            timeout_seconds: self.timeout_seconds,
            max_tries: self.max_tries,
        };
        let request = client.request(Method::PUT, &["v1", "sinks", &self.sink]).json(&settings);
        let (sink, status): (Sink, _) = client.json_and_status(request).await?;
        if self.json {
            output::json(&sink)?;
        }
        let done = if status == StatusCode::CREATED { "made" } else { "changed" };
        say(format_args!("sink `{}` is {done}", sink.name));
        Ok(())
    }
}

impl Retry {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let request = client.request(Method::POST, &["v1", "sinks", &self.sink, "retry"]);
        let SinkRetried { retried } = client.json(request).await?;
        let messages = figures::counted(retried, "message");
        say(format_args!("sent again: {messages} that had failed, and all that wait"));
        Ok(())
    }
}

impl Delete {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        client.send(client.request(Method::DELETE, &["v1", "sinks", &self.sink])).await?;
        say(format_args!("sink `{}` is removed", self.sink));
        Ok(())
    }
}

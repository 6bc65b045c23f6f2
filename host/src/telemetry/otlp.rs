//! Where signals go over OTLP: off until the usual variables of OpenTelemetry say where.

use std::{env, sync::LazyLock, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{queue::Queue, sender::Sender, signal::Signal};

/// The default of `OTEL_SERVICE_NAME`.
pub(super) const SERVICE: &str = "gnomon";
/// The default of `OTEL_EXPORTER_OTLP_TIMEOUT`.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The default of `OTEL_BSP_MAX_QUEUE_SIZE` and of `OTEL_BLRP_MAX_QUEUE_SIZE`.
const QUEUE: usize = 2048;
/// What those variables can ask for at most: room for the queue is made at the start.
const MAX_QUEUE: usize = 65_536;

/// Tells this process from others that send as the same service.
static INSTANCE: LazyLock<Uuid> = LazyLock::new(Uuid::new_v4);

/// Why a signal cannot be sent as the environment says.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtlpError {
    /// A protocol that this program does not have.
    #[error("{name} is `{found}`, and this program sends `http/protobuf` only, usually to port 4318 of a collector")]
    Protocol {
        /// The variable.
        name: String,
        /// Its value.
        found: String,
    },
    /// A way to send that this program does not have.
    #[error("{name} is `{found}`; `otlp` and `none` are what this program has")]
    Exporter {
        /// The variable.
        name: String,
        /// Its value.
        found: String,
    },
    /// A variable cannot be read, or the client cannot be made.
    #[error("{signal} cannot be sent as the variables OTEL_… say: {reason}")]
    Client {
        /// Which signal.
        signal: &'static str,
        /// Why.
        reason: String,
    },
}

/// How a signal is sent. Endpoint, headers, the size of batches and how often they are sent are read by the SDK from the environment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    signal: Signal,
    timeout: Duration,
    queue: usize,
    has_service_name: bool,
}

impl Settings {
    /// What the environment says of a signal; `None` if it is off.
    ///
    /// # Errors
    /// It asks for what this program does not have.
    pub(super) fn of(signal: Signal) -> Result<Option<Self>, OtlpError> {
        Self::read(signal, |name| env::var(name).ok())
    }

    fn read(signal: Signal, environment: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, OtlpError> {
        // An empty variable is as none.
        let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        // One of a variable for the signal and a variable for all of them, with its name.
        let either = |name: &str| {
            let names =
                [format!("OTEL_EXPORTER_OTLP_{}_{name}", signal.in_names()), format!("OTEL_EXPORTER_OTLP_{name}")];
            names.into_iter().find_map(|name| variable(&name).map(|value| (name, value)))
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let name = format!("OTEL_{}_EXPORTER", signal.in_names());
        let is_on = match variable(&name).as_deref() {
            None => either("ENDPOINT").is_some(),
            // Without an endpoint it is that of a collector on this machine.
            Some("otlp") => true,
            Some("none") => false,
            Some(other) => return Err(OtlpError::Exporter { name, found: other.to_owned() }),
        };
        if !is_on {
            return Ok(None);
        }
        if let Some((name, found)) = either("PROTOCOL").filter(|(_, protocol)| protocol != "http/protobuf") {
            return Err(OtlpError::Protocol { name, found });
        }
        let timeout = either("TIMEOUT").and_then(|(_, milliseconds)| milliseconds.parse().ok());
        let queue = variable(signal.queue_variable()).and_then(|size| size.parse().ok()).unwrap_or(QUEUE);
        Ok(Some(Self {
            signal,
            timeout: timeout.map_or(TIMEOUT, Duration::from_millis),
            queue: queue.clamp(1, MAX_QUEUE),
            has_service_name: variable("OTEL_SERVICE_NAME").is_some(),
        }))
    }

    /// What sends the signal, on a runtime.
    ///
    /// # Errors
    /// There is no client, such as where certificates cannot be read.
    pub(super) fn sender(&self, runtime: Handle) -> Result<Sender, OtlpError> {
        Sender::new(self.signal, runtime, self.timeout).map_err(|error| self.refused(error))
    }

    /// The error of a part of the SDK.
    pub(super) fn refused(&self, error: impl std::fmt::Display) -> OtlpError {
        OtlpError::Client { signal: self.signal.word(), reason: error.to_string() }
    }

    /// Where what is to be sent waits.
    pub(super) fn queue(&self) -> Queue {
        Queue::new(self.signal, self.queue)
    }

    /// Whom the signal is of. The environment may say otherwise.
    pub(super) fn resource(&self) -> Resource {
        let given = match self.has_service_name {
            true => Resource::builder().build(),
            false => Resource::builder().with_service_name(SERVICE).build(),
        };
        Resource::builder_empty()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", INSTANCE.to_string()))
            .with_attributes(given.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone())))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_signals_are_of_one_process_and_its_version() {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")];
        let of = |signal| read(signal, &variables).unwrap().unwrap().resource();
        let (traces, logs) = (of(Signal::Traces), of(Signal::Logs));
        assert_eq!(traces, logs);
        let attribute = |name: &'static str| traces.get(&name.into()).map(|value| value.to_string());
        assert_eq!(attribute("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(attribute("service.name").as_deref(), Some(SERVICE));
        assert!(attribute("service.instance.id").is_some_and(|id| id.parse::<Uuid>().is_ok()));
    }

    fn read(signal: Signal, variables: &[(&str, &str)]) -> Result<Option<Settings>, OtlpError> {
        Settings::read(signal, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn is_on(signal: Signal, variables: &[(&str, &str)]) -> bool {
        read(signal, variables).unwrap().is_some()
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");

    #[test]
    fn a_signal_is_on_where_the_environment_says_where_it_goes() {
        use Signal::{Logs, Traces};
        for signal in [Logs, Traces] {
            assert!(!is_on(signal, &[]));
            assert!(!is_on(signal, &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]));
            assert!(is_on(signal, &[ENDPOINT]));
            assert!(!is_on(signal, &[ENDPOINT, ("OTEL_SDK_DISABLED", "True")]));
            assert!(is_on(signal, &[ENDPOINT, ("OTEL_SDK_DISABLED", "false")]));
        }
        let logs_only = [("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c:4318/v1/logs")];
        assert!(is_on(Logs, &logs_only) && !is_on(Traces, &logs_only));
        let no_logs = [ENDPOINT, ("OTEL_LOGS_EXPORTER", "none")];
        assert!(!is_on(Logs, &no_logs) && is_on(Traces, &no_logs));
        // The collector of this machine.
        let local = [("OTEL_LOGS_EXPORTER", "otlp")];
        assert!(is_on(Logs, &local) && !is_on(Traces, &local));
    }

    #[test]
    fn what_this_program_does_not_have_is_refused_by_the_name_of_its_variable() {
        let refused = |variables: &[(&str, &str)]| read(Signal::Logs, variables).unwrap_err().to_string();
        let for_all = refused(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert!(for_all.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"), "{for_all}");
        let for_one = refused(&[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ]);
        assert!(for_one.starts_with("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL is `grpc`"), "{for_one}");
        assert_eq!(
            refused(&[("OTEL_LOGS_EXPORTER", "console")]),
            "OTEL_LOGS_EXPORTER is `console`; `otlp` and `none` are what this program has"
        );
        assert!(is_on(Signal::Logs, &[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]));
        // What is off is not looked at.
        assert!(!is_on(Signal::Logs, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]));
    }

    #[test]
    fn times_and_sizes_have_defaults_and_bounds() {
        let settings =
            |signal, variables: &[(&str, &str)]| read(signal, &[&[ENDPOINT], variables].concat()).unwrap().unwrap();
        let default = settings(Signal::Logs, &[]);
        assert_eq!((default.timeout, default.queue, default.has_service_name), (TIMEOUT, QUEUE, false));
        let own = settings(
            Signal::Logs,
            &[("OTEL_EXPORTER_OTLP_TIMEOUT", "250"), ("OTEL_BLRP_MAX_QUEUE_SIZE", "7"), ("OTEL_SERVICE_NAME", "shop")],
        );
        assert_eq!((own.timeout, own.queue, own.has_service_name), (Duration::from_millis(250), 7, true));
        let queue = |size| settings(Signal::Traces, &[("OTEL_BSP_MAX_QUEUE_SIZE", size)]).queue;
        assert_eq!([queue("0"), queue("many"), queue("99999999999")], [1, QUEUE, MAX_QUEUE]);
    }
}

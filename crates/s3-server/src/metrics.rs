//! What a server has done, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::operation::Operation;
use crate::request_log::RequestRecord;

/// Upper bounds of durations, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Requests {
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    operation: &'static str,
}

/// Counts of everything that was answered. There are as many series as operations and statuses, not as many as keys.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Requests, Counter>,
    durations: Family<OfOperation, Histogram>,
    received_bytes: Counter,
    sent_bytes: Counter,
    pub(crate) in_flight: Gauge,
    pub(crate) connections: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("holdfast");
        let requests = Family::default();
        registry.register("requests", "Requests that were answered; status 0 was cut off", requests.clone());
        let durations = Family::<OfOperation, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register("request_duration_seconds", "Time until an answer began", durations.clone());
        let (received_bytes, sent_bytes) = (Counter::default(), Counter::default());
        registry.register("received_bytes", "Bytes of requests' bodies, as declared", received_bytes.clone());
        registry.register("sent_bytes", "Bytes of answers' bodies", sent_bytes.clone());
        let (in_flight, connections) = (Gauge::default(), Gauge::default());
        registry.register("requests_in_flight", "Requests that are being answered", in_flight.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        Self { registry, requests, durations, received_bytes, sent_bytes, in_flight, connections }
    }
}

impl Metrics {
    pub(crate) fn count(&self, record: &RequestRecord) {
        let operation = record.operation.map_or("Unknown", Operation::name);
        self.requests.get_or_create(&Requests { operation, status: record.status }).inc();
        self.durations.get_or_create(&OfOperation { operation }).observe(record.duration_ms / 1000.0);
        self.received_bytes.inc_by(record.bytes_in);
        self.sent_bytes.inc_by(record.bytes_out);
    }

    /// All of it in the text format of OpenMetrics, which Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => {
                tracing::error!(%error, "metrics could not be written");
                String::new()
            }
        }
    }
}

/// Counts one up while it lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn on(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

//! What every client of the brokers has in common.

use rdkafka::ClientConfig;

use crate::{Connection, Settings};

/// What we are called in the logs of the brokers.
const CLIENT_ID: &str = "dispense";

/// What librdkafka wants to hear before it reads anything, though no group is ever joined.
const GROUP: &str = "dispense";

impl Settings {
    /// A consumer that belongs to no group: it is told what to read, and keeps no offsets at the brokers.
    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut client = self.connection.client();
        client
            .set("group.id", self.topic(GROUP))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false");
        client
    }
}

impl Connection {
    /// A client that reaches the brokers; what else it is for is added by whoever makes it. Topics are
    /// never made by mentioning them.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", CLIENT_ID)
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "5000")
            .set("security.protocol", self.protocol());
        if let Some(tls) = &self.tls {
            if let Some(authorities) = &tls.authorities {
                client.set("ssl.ca.location", authorities.to_string_lossy());
            }
            if let Some((certificate, key)) = &tls.certificate {
                client
                    .set("ssl.certificate.location", certificate.to_string_lossy())
                    .set("ssl.key.location", key.to_string_lossy());
            }
        }
        if let Some(sasl) = &self.sasl {
            client
                .set("sasl.mechanism", sasl.mechanism.name())
                .set("sasl.username", &sasl.user)
                .set("sasl.password", &sasl.password);
        }
        client
    }

    const fn protocol(&self) -> &'static str {
        match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }
}

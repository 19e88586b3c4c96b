//! What a node is told in its file of settings.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::broker::access::Access;
use crate::broker::layout::Ports;
use crate::error::{Result, failed};

/// How many nodes a quorum has.
pub(crate) const QUORUM: usize = 3;

/// How many nodes must have a record before it counts.
const IN_SYNC: usize = 2;

/// Settings of every private broker: one that is small, starts fast and does nothing unasked.
///
/// A node that was killed is let in again only when its last session is over, so sessions are short.
const DEFAULTS: [(&str, &str); 17] = [
    ("auto.create.topics.enable", "false"),
    ("background.threads", "2"),
    ("broker.heartbeat.interval.ms", "500"),
    ("broker.session.timeout.ms", "3000"),
    ("controlled.shutdown.enable", "true"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("log.cleaner.dedupe.buffer.size", "8388608"),
    ("num.io.threads", "4"),
    ("num.network.threads", "2"),
    ("num.recovery.threads.per.data.dir", "1"),
    ("offsets.topic.num.partitions", "4"),
    ("process.roles", "broker,controller"),
    ("share.coordinator.state.topic.num.partitions", "2"),
    ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000"),
    ("transaction.max.timeout.ms", "900000"),
    ("transaction.state.log.num.partitions", "8"),
    ("unclean.leader.election.enable", "false"),
];

/// How many copies there are of everything, and how many must agree.
const COPIES: [&str; 4] = [
    "default.replication.factor",
    "offsets.topic.replication.factor",
    "share.coordinator.state.topic.replication.factor",
    "transaction.state.log.replication.factor",
];
const AGREEING: [&str; 3] = [
    "min.insync.replicas",
    "share.coordinator.state.topic.min.isr",
    "transaction.state.log.min.isr",
];

/// All settings of a node; those that were asked for win.
pub(crate) fn of_node(
    id: usize,
    ports: &[Ports],
    access: &Access,
    asked_for: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut settings: BTreeMap<String, String> =
        DEFAULTS.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (copies, agreeing) = if ports.len() < QUORUM { (1, 1) } else { (QUORUM, IN_SYNC) };
    let numbers = COPIES.map(|name| (name, copies)).into_iter();
    let numbers = numbers.chain(AGREEING.map(|name| (name, agreeing)));
    settings.extend(numbers.map(|(name, number)| (name.to_owned(), number.to_string())));
    settings.extend(listeners(id, ports, access)?);
    settings.extend(access.settings());
    for (name, value) in asked_for {
        let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
        if name.is_empty() || !name.bytes().all(is_name) || value.contains(['\n', '\r']) {
            return Err(failed(
                format!("{name:?} = {value:?} is not a setting of Apache Kafka"),
                "write it like message.max.bytes = 1048588",
            ));
        }
        settings.insert(name.clone(), value.clone());
    }
    Ok(settings)
}

fn listeners(id: usize, ports: &[Ports], access: &Access) -> Result<[(String, String); 8]> {
    let own = id.checked_sub(1).and_then(|place| ports.get(place));
    let Some(own) = own else {
        return Err(failed(format!("there is no node {id}"), "count nodes from 1"));
    };
    let voters: Vec<String> =
        (1..).zip(ports).map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.quorum)).collect();
    let advertised =
        format!("CLIENTS://127.0.0.1:{},INSIDE://127.0.0.1:{}", own.clients, own.inside);
    let protocol = access.protocol();
    let settings = [
        ("node.id", id.to_string()),
        ("controller.quorum.voters", voters.join(",")),
        ("listeners", format!("{advertised},QUORUM://127.0.0.1:{}", own.quorum)),
        ("advertised.listeners", advertised),
        ("controller.listener.names", "QUORUM".to_owned()),
        ("inter.broker.listener.name", "INSIDE".to_owned()),
        (
            "listener.security.protocol.map",
            format!("CLIENTS:{protocol},INSIDE:PLAINTEXT,QUORUM:PLAINTEXT"),
        ),
        // Relative to the folder of the node: Kafka would take a comma in a path for the next folder.
        ("log.dirs", "data".to_owned()),
    ];
    Ok(settings.map(|(name, value)| (name.to_owned(), value)))
}

/// The text of a file of settings, in the form that Java reads.
pub(crate) fn text(settings: &BTreeMap<String, String>) -> String {
    let mut text = "# Written at every start; change it and the change is lost.\n".to_owned();
    for (name, value) in settings {
        let _ = write!(text, "{name}=");
        for (place, letter) in value.chars().enumerate() {
            match letter {
                '\\' => text.push_str("\\\\"),
                ' ' if place == 0 => text.push_str("\\ "),
                ' '..='~' => text.push(letter),
                _ => {
                    let mut units = [0; 2];
                    for unit in letter.encode_utf16(&mut units) {
                        let _ = write!(text, "\\u{unit:04x}");
                    }
                }
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::text;

    #[test]
    fn what_java_would_read_otherwise_is_escaped() {
        let value = " C:\\Пам 𝄞".to_owned();
        let written = text(&BTreeMap::from([("a.b".to_owned(), value)]));
        let line = written.lines().last().unwrap();
        assert_eq!(line, r"a.b=\ C:\\\u041f\u0430\u043c \ud834\udd1e");
    }
}

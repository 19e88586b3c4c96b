//! How each topic should be.

use std::borrow::Cow;

use dispensary::announcement;
use dispense_domain::Partitions;
use dispense_domain::registry::RegistryKind;
use rdkafka::admin::ConfigResource;

use super::Difference;
use crate::cluster::Layout;
use crate::{DEAD_LETTER_TOPIC, POSITIONS_TOPIC, REGISTRY_TOPICS, Settings};

/// How many brokers keep a topic if nobody says it, and there are as many.
const MOST_REPLICAS: usize = 3;

/// Room for the largest message. It is what Kafka has if nobody sets it; brokers with less would stop
/// the relay at the first message that is larger.
const MESSAGE_BYTES: u32 = 1_048_588;

/// How long messages of events are kept. Whoever reads them may be away for a month; what is older
/// stands in the log for ever, and is served from there.
const EVENTS_KEPT_DAYS: u64 = 30;

/// How long registry data is kept. It was read within seconds unless the service is down for days, and
/// there are persons in it, so that it is not to be kept for longer.
const REGISTRY_KEPT_DAYS: u64 = 7;

/// How long messages are kept that could not be applied: until somebody has looked.
const DEAD_LETTERS_KEPT_DAYS: u64 = 30;

/// Small segments, so that what is outdated is soon thrown out and a place is found fast.
const POSITIONS_SEGMENT_BYTES: u32 = 16 * 1024 * 1024;

/// For what a topic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Events are announced there.
    Events(announcement::Topic),
    /// The relay keeps its places there.
    Positions,
    /// The registries put their changes there.
    Registry(RegistryKind),
    /// Messages of the registries are put there that cannot be applied.
    DeadLetters,
}

impl Use {
    /// The name of the topic without any prefix.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Events(topic) => topic.name().into(),
            Self::Positions => POSITIONS_TOPIC.into(),
            Self::Registry(kind) => format!("{REGISTRY_TOPICS}{}", kind.as_str()).into(),
            Self::DeadLetters => DEAD_LETTER_TOPIC.into(),
        }
    }

    /// Into how many partitions it is divided. Some registries have as many records as there are
    /// patients; the others are small, and one partition keeps them in order.
    fn partitions(self, settings: &Settings, log: Partitions) -> u16 {
        match self {
            Self::Positions => log.count(),
            Self::Events(_)
            | Self::Registry(
                RegistryKind::Person
                | RegistryKind::MedicationRequest
                | RegistryKind::CarePlan
                | RegistryKind::CarePlanActivity,
            ) => settings.partitions,
            Self::Registry(
                RegistryKind::LegalEntity
                | RegistryKind::Division
                | RegistryKind::HealthcareService
                | RegistryKind::Party
                | RegistryKind::PartyUser
                | RegistryKind::Employee
                | RegistryKind::Medication
                | RegistryKind::MedicalProgram
                | RegistryKind::ProgramMedication
                | RegistryKind::Contract
                | RegistryKind::MedicalProgramProvision,
            )
            | Self::DeadLetters => 1,
        }
    }

    /// How long messages are kept, if not for ever.
    const fn kept_days(self) -> Option<u64> {
        match self {
            Self::Events(_) => Some(EVENTS_KEPT_DAYS),
            Self::Positions => None,
            Self::Registry(_) => Some(REGISTRY_KEPT_DAYS),
            Self::DeadLetters => Some(DEAD_LETTERS_KEPT_DAYS),
        }
    }
}

/// A topic, as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its number among those that are wanted.
    pub(super) place: usize,
    /// For what it is.
    pub purpose: Use,
    /// Its name, with the prefix.
    pub name: String,
    /// Into how many partitions it is divided.
    pub partitions: u16,
    /// How many brokers keep it.
    pub replication: u16,
    /// Its settings.
    pub settings: Vec<(&'static str, String)>,
}

/// How many brokers keep a topic: what is set, else as many as there are, and at most three.
#[must_use]
pub fn replication(settings: &Settings, brokers: usize) -> u16 {
    settings
        .replication
        .unwrap_or_else(|| u16::try_from(brokers.clamp(1, MOST_REPLICAS)).unwrap_or(1))
}

/// Every topic that there must be.
#[must_use]
pub fn wanted(settings: &Settings, log: Partitions, replication: u16) -> Vec<Wanted> {
    let mut uses: Vec<Use> = announcement::Topic::ALL.into_iter().map(Use::Events).collect();
    uses.push(Use::Positions);
    if settings.registry {
        uses.extend(RegistryKind::ALL.into_iter().map(Use::Registry));
        uses.push(Use::DeadLetters);
    }
    let wanted = |(place, purpose): (usize, Use)| Wanted {
        place,
        purpose,
        name: settings.topic(&purpose.name()),
        partitions: purpose.partitions(settings, log),
        replication,
        settings: settings_of(purpose, replication),
    };
    uses.into_iter().enumerate().map(wanted).collect()
}

fn settings_of(purpose: Use, replication: u16) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        // A broker that lags must never lead: what was acknowledged would be lost, and come again.
        ("unclean.leader.election.enable", "false".to_owned()),
        ("min.insync.replicas", in_sync(replication).to_string()),
        ("max.message.bytes", MESSAGE_BYTES.to_string()),
        // As it came, so that no broker spends time on it.
        ("compression.type", "producer".to_owned()),
    ];
    match purpose.kept_days() {
        Some(days) => settings.extend([
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", (days * 24 * 60 * 60 * 1000).to_string()),
            ("retention.bytes", "-1".to_owned()),
        ]),
        None => settings.extend([
            ("cleanup.policy", "compact".to_owned()),
            ("segment.bytes", POSITIONS_SEGMENT_BYTES.to_string()),
            ("segment.ms", (60 * 60 * 1000).to_string()),
            ("min.cleanable.dirty.ratio", "0.1".to_owned()),
        ]),
    }
    settings
}

/// How many brokers must have a message before it counts: with three of them, one may be down and
/// another one be lost.
const fn in_sync(replication: u16) -> u16 {
    if replication > 2 { 2 } else { 1 }
}

impl Wanted {
    /// What is otherwise than wanted with a topic that is there.
    pub(super) fn differences(&self, layout: Layout, seen: &ConfigResource) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut compare = |what, is: String, wanted: String| {
            if is != wanted {
                differences.push(Difference { what, is, wanted });
            }
        };
        compare("partitions", layout.partitions.to_string(), self.partitions.to_string());
        compare("replication", layout.replication.to_string(), self.replication.to_string());
        // What fits the replication that there is: more would stop whoever writes.
        let is = u16::try_from(layout.replication).unwrap_or(u16::MAX);
        for (name, wanted) in settings_of(self.purpose, is) {
            let entry = seen.get(name).and_then(|entry| entry.value.clone());
            compare(name, entry.unwrap_or_else(|| "not told".to_owned()), wanted);
        }
        differences
    }

    /// The words with which Kafka's own tool makes it.
    #[must_use]
    pub fn command(&self, brokers: &str) -> String {
        let mut command = format!(
            "kafka-topics.sh --bootstrap-server {brokers} --create --topic {} --partitions {} \
             --replication-factor {}",
            self.name, self.partitions, self.replication
        );
        for (name, value) in &self.settings {
            command.push_str(" --config ");
            command.push_str(name);
            command.push('=');
            command.push_str(value);
        }
        command
    }
}

//! How topics are, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dispense_kafka::topics::{Difference, Earnest, Found, Refused, Topic, Use, Wanted};
use serde_json::{Value, json};

/// How topics are.
pub(super) struct Page<'a> {
    /// The topics.
    pub(super) topics: &'a [Topic],
    /// How many messages topics of events have had.
    pub(super) had: &'a BTreeMap<dispensary::Topic, u64>,
    /// Where the brokers are.
    pub(super) brokers: &'a str,
}

impl Page<'_> {
    /// A line for each topic, and one for each difference.
    pub(super) fn table(&self) -> String {
        let width = self.topics.iter().map(|topic| topic.wanted.name.len()).max();
        let width = width.unwrap_or_default();
        let mut lines = Vec::new();
        for topic in self.topics {
            let Wanted { name, .. } = &topic.wanted;
            lines.push(format!("{name:<width$}  {}", told(topic)));
            if let Found::Differs(differences) = &topic.found {
                let aside = |it| format!("{:<width$}  {}", "", difference(it));
                lines.extend(differences.iter().map(aside));
            }
        }
        for (topic, lost, had) in self.lost() {
            lines.push(format!(
                "{} has lost {had} messages; fill it again: dispense streams refill {lost}",
                topic.wanted.name
            ));
        }
        lines.join("\n") + "\n"
    }

    /// The same for programs.
    pub(super) fn document(&self, earnest: Earnest) -> String {
        let items: Vec<Value> = self.topics.iter().map(|topic| self.item(topic)).collect();
        let document = json!({ "dryRun": earnest == Earnest::Told, "items": items });
        format!("{document:#}\n")
    }

    fn item(&self, topic: &Topic) -> Value {
        let Wanted { name, partitions, replication, settings, .. } = &topic.wanted;
        let settings: BTreeMap<_, _> = settings.iter().cloned().collect();
        let lost = self.lost().find(|(lost, ..)| lost.wanted.name == *name).map(|it| it.2);
        let (state, why, differences) = match &topic.found {
            Found::Made => ("made", None, &[][..]),
            Found::Missing => ("missing", None, &[][..]),
            Found::AsWanted => ("asWanted", None, &[][..]),
            Found::Unseen => ("unseen", None, &[][..]),
            Found::Differs(differences) => ("differs", None, &differences[..]),
            Found::Refused(why) => ("refused", Some(why.to_string()), &[][..]),
        };
        let differences: Vec<Value> = differences
            .iter()
            .map(
                |Difference { what, is, wanted }| json!({"what": what, "is": is, "wanted": wanted}),
            )
            .collect();
        json!({
            "topic": name, "state": state, "why": why, "differences": differences,
            "lostMessages": lost,
            "wanted": {"partitions": partitions, "replication": replication, "settings": settings},
        })
    }

    /// Topics that are not there, or just were not, and have had messages: topic, name without prefix,
    /// how many.
    fn lost(&self) -> impl Iterator<Item = (&Topic, &'static str, u64)> {
        self.topics.iter().filter_map(|topic| {
            let gone = match &topic.found {
                Found::Made | Found::Missing | Found::Refused(_) => true,
                Found::AsWanted | Found::Differs(_) | Found::Unseen => false,
            };
            match topic.wanted.purpose {
                Use::Events(events) if gone => {
                    let had = self.had.get(&events).copied().filter(|had| *had > 0)?;
                    Some((topic, events.name(), had))
                }
                Use::Events(_) | Use::Positions | Use::Registry(_) | Use::DeadLetters => None,
            }
        })
    }

    /// What somebody else has to do, if topics cannot be made.
    pub(super) fn refused(&self) -> Option<String> {
        let refused = |topic: &Topic| match &topic.found {
            Found::Refused(why) => Some((topic.wanted.clone(), why.clone())),
            Found::Made | Found::Missing | Found::AsWanted | Found::Differs(_) | Found::Unseen => {
                None
            }
        };
        let refused: Vec<(Wanted, Refused)> = self.topics.iter().filter_map(refused).collect();
        let (first, why) = refused.first()?;
        let mut text = match refused.len() {
            1 => format!("{} is missing: {why}", first.name),
            more => format!("{} and {} other topics are missing: {why}", first.name, more - 1),
        };
        let forbidden = refused.iter().filter(|(_, why)| matches!(why, Refused::Forbidden(_)));
        let mut forbidden = forbidden.peekable();
        if forbidden.peek().is_some() {
            text.push_str(
                "\nlet an administrator of the brokers run `dispense streams topics`, grant Create on \
                 these topics to the user of KAFKA_SASL_USERNAME, or make them so:",
            );
        }
        for (wanted, _) in forbidden {
            // Writing into a text cannot fail.
            let _written = write!(text, "\n  {}", wanted.command(self.brokers));
        }
        Some(text)
    }
}

/// How a topic is, in some words.
fn told(topic: &Topic) -> String {
    let Wanted { partitions, replication, .. } = &topic.wanted;
    let how = format!("{partitions} partitions, replication {replication}");
    match &topic.found {
        Found::Made => format!("made: {how}"),
        Found::Missing => format!("is missing, would be made: {how}"),
        Found::AsWanted => "as wanted".to_owned(),
        Found::Unseen => "is there, its settings may not be seen".to_owned(),
        Found::Differs(_) => "differs, and stays so:".to_owned(),
        Found::Refused(why) => format!("is missing: {why}"),
    }
}

fn difference(it: &Difference) -> String {
    let Difference { what, is, wanted } = it;
    match *what {
        "partitions" => format!(
            "{what}: {is}, wanted {wanted}; with more of them, messages of one key would move to \
             another partition"
        ),
        _ => format!("{what}: {is}, wanted {wanted}"),
    }
}

#[cfg(test)]
mod tests {
    use dispense_domain::Partitions;
    use dispense_kafka::topics::wanted;
    use dispense_kafka::{Connection, Settings};

    use super::*;

    /// The first two topics, as they are found.
    fn topics(found: [Found; 2]) -> Vec<Topic> {
        let settings = Settings {
            connection: Connection { brokers: String::new(), tls: None, sasl: None },
            prefix: "staging.".to_owned(),
            partitions: 12,
            replication: None,
            registry: true,
        };
        let wanted = wanted(&settings, Partitions::new(4).unwrap(), 3);
        wanted.into_iter().zip(found).map(|(wanted, found)| Topic { wanted, found }).collect()
    }

    fn page<'a>(topics: &'a [Topic], had: &'a BTreeMap<dispensary::Topic, u64>) -> Page<'a> {
        Page { topics, had, brokers: "kafka1:9092" }
    }

    #[test]
    fn a_topic_that_may_not_be_made_is_told_with_the_words_that_make_it() {
        let forbidden = Refused::Forbidden("Topic authorization failed".to_owned());
        let topics = topics([Found::Refused(forbidden), Found::AsWanted]);
        let told = page(&topics, &BTreeMap::new()).refused().unwrap();
        for expected in [
            "staging.ndp.events.dispense.recorded is missing: we may not make it",
            "kafka-topics.sh --bootstrap-server kafka1:9092 --create \
             --topic staging.ndp.events.dispense.recorded --partitions 12 --replication-factor 3",
            "--config min.insync.replicas=2",
        ] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }

    #[test]
    fn a_topic_that_had_messages_and_was_made_anew_is_to_be_filled_again() {
        let topics = topics([Found::Made, Found::Made]);
        let had = BTreeMap::from([
            (dispensary::Topic::Recorded, 7),
            (dispensary::Topic::FullyDispensed, 0),
        ]);
        let table = page(&topics, &had).table();
        let expected = "staging.ndp.events.dispense.recorded has lost 7 messages; fill it again: \
                        dispense streams refill ndp.events.dispense.recorded\n";
        assert!(table.ends_with(expected), "{table}");
        assert_eq!(table.lines().count(), 3, "{table}");
        let document: Value =
            serde_json::from_str(&page(&topics, &had).document(Earnest::Done)).unwrap();
        assert_eq!(document["items"][0]["lostMessages"], 7);
        assert_eq!(document["items"][1]["lostMessages"], Value::Null);
    }

    #[test]
    fn what_differs_stands_below_its_topic() {
        let difference = |what, is: &str, wanted: &str| Difference {
            what,
            is: is.to_owned(),
            wanted: wanted.to_owned(),
        };
        let differs = Found::Differs(vec![
            difference("partitions", "6", "12"),
            difference("retention.ms", "1", "2"),
        ]);
        let topics = topics([differs, Found::AsWanted]);
        let table = page(&topics, &BTreeMap::new()).table();
        assert!(table.contains(" partitions: 6, wanted 12; with more of them, "), "{table}");
        assert!(table.contains(" retention.ms: 1, wanted 2\n"), "{table}");
        assert!(page(&topics, &BTreeMap::new()).refused().is_none());
    }
}

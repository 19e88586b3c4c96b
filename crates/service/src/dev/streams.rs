//! A private Apache Kafka beside the private PostgreSQL, where one was asked for.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use dispense_domain::Partitions;
use dispense_embedded::Broker;
use dispense_kafka::Settings;
use dispense_kafka::topics::{Earnest, Found, make};

use super::say;

/// The folder of the broker below `DISPENSE_HOME`.
const FOLDER: &str = "kafka";

/// What prints messages.
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

/// How wide the lines of a printed command are.
const LINE: usize = 90;

/// Starts the broker, on what it has kept.
pub(super) fn start(home: &Path) -> dispense_embedded::Result<Broker> {
    Broker::builder(home.join(FOLDER)).start()
}

/// Makes the topics that are missing.
pub(super) async fn make_topics(settings: &Settings, log: Partitions) -> anyhow::Result<()> {
    let topics = make(settings, log, Earnest::Done).await?;
    let made = topics.iter().filter(|topic| topic.found == Found::Made).count();
    if made > 0 {
        say(&format!("made {made} topics"));
    }
    for topic in topics {
        if let Found::Refused(why) = topic.found {
            anyhow::bail!("the topic {} is missing: {why}", topic.wanted.name);
        }
    }
    Ok(())
}

/// A command for the shell that prints what is announced.
pub(super) fn listening(broker: &Broker, prefix: &str) -> String {
    let topics = format!("{}ndp\\.events\\..*", prefix.replace('.', "\\."));
    let mut command = broker.tool(CONSUMER);
    command.args(["--bootstrap-server", &broker.addresses(), "--include", &topics]);
    command.args(["--from-beginning", "--isolation-level", "read_committed"]);
    for what in ["print.key=true", "print.headers=true"] {
        command.args(["--formatter-property", what]);
    }
    shell(&command)
}

/// The command as it is typed, in lines that are not too long.
fn shell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let mut text = String::new();
    let mut width = 0;
    for word in words {
        let word = quoted(&word.to_string_lossy());
        // An option and its value stay together.
        if word.starts_with('-') && width + word.len() > LINE {
            text.push_str("\\\n  ");
            width = 2;
        }
        width += word.len() + 1;
        let _ = write!(text, "{word} ");
    }
    text.trim_end().to_owned()
}

/// Quotes a word that a shell would read otherwise.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::shell;

    #[test]
    fn a_command_is_printed_as_a_shell_has_to_be_told() {
        let mut command = Command::new("java");
        let library = "/home/o'neil/libs/*";
        command.args(["-cp", library]).args(["--include", r"ndp\.events\..*"]).args(["--long"; 20]);
        let printed = shell(&command);
        let asked = printed.replacen("java", "printf '%s\\n'", 1);
        let answer = Command::new("sh").args(["-c", &asked]).output().unwrap();
        let words = String::from_utf8(answer.stdout).unwrap();
        let words: Vec<&str> = words.lines().collect();
        assert_eq!(words[..4], ["-cp", library, "--include", r"ndp\.events\..*"]);
        assert_eq!((words.len(), printed.lines().count()), (24, 3));
    }
}

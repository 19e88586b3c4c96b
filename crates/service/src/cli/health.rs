//! `dispense health`: asks an instance how it is, where there is no curl, as in its container.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use reqwest::Url;
use serde_json::Value;

use crate::config::{Mistakes, Reader, duration, listen};

/// The longest that somebody may want to wait for an answer.
const AT_MOST: Duration = Duration::from_mins(1);

/// The most bytes of an answer that are read.
const ANSWER: usize = 64 * 1024;

/// What is printed after `dispense health --help`.
pub(crate) const HELP: &str = "\
Exit codes: 0 it is well, also where it is degraded; 1 it is not, or does not answer; 2 wrong usage.
DISPENSE_LISTEN says where an instance listens that is asked without --url.";

/// Ask the instance on this machine how it is
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is asked: whether it runs, or whether it can work
    #[arg(value_enum, default_value_t = Question::Live)]
    question: Question,
    /// Where it listens, such as `http://127.0.0.1:8080`; as `DISPENSE_LISTEN` says if not given
    #[arg(long, value_parser = origin)]
    url: Option<Url>,
    /// How long to wait for the answer: 500ms, 3s
    #[arg(long, default_value = "3s", value_parser = patience)]
    timeout: Duration,
}

/// What an instance can be asked.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Question {
    /// Whether the process runs
    Live,
    /// Whether it can work
    Ready,
}

impl Question {
    fn path(self) -> &'static str {
        match self {
            Self::Live => "/health/live",
            Self::Ready => "/health/ready",
        }
    }
}

fn origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "expected an address such as http://127.0.0.1:8080".to_owned())
}

fn patience(text: &str) -> Result<Duration, String> {
    duration(text)
        .filter(|wait| !wait.is_zero() && *wait <= AT_MOST)
        .ok_or_else(|| "expected a duration from 1ms to 60s, such as 3s".to_owned())
}

/// Where whoever stands on this machine reaches what listens there.
fn reached(listen: SocketAddr) -> SocketAddr {
    let here: IpAddr = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    SocketAddr::new(here, listen.port())
}

fn of_this_machine(mut reader: Reader) -> anyhow::Result<Url> {
    match (listen(&mut reader), reader.mistakes()) {
        (Some(listen), None) => Ok(Url::parse(&format!("http://{}", reached(listen)))?),
        (_, mistakes) => Err(mistakes.unwrap_or_else(Mistakes::default).into()),
    }
}

/// Asks, prints the answer in a line, and says by the exit code whether it is well.
pub(crate) async fn run(reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { question, url, timeout } = arguments;
    let mut url = match url {
        Some(url) => url,
        None => of_this_machine(reader)?,
    };
    url.set_path(question.path());
    // Whoever asks means this very instance: no proxy of the environment stands between.
    let client = reqwest::Client::builder().timeout(timeout).no_proxy().build()?;
    let answer = client.get(url.clone()).send().await.map_err(reqwest::Error::without_url);
    let mut answer = answer.with_context(|| format!("{url} does not answer"))?;
    let well = answer.status().is_success();
    let mut body = Vec::new();
    while body.len() < ANSWER {
        match answer.chunk().await.with_context(|| format!("{url} broke off"))? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    println!("{}", told(answer.status().as_u16(), &body));
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The answer in a line: how it is, and what is not as it should be.
fn told(status: u16, body: &[u8]) -> String {
    let report: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(how) = report["status"].as_str() else {
        return format!("{status}, and no report: does something else listen there?");
    };
    let checks = report["checks"].as_array().into_iter().flatten();
    let wrong = checks.filter(|check| check["status"] != "ok").map(|check| {
        let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", text("name"), text("status"), text("detail"))
    });
    [how.to_owned()].into_iter().chain(wrong).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_reached_on_this_machine() {
        for (listens, is_reached) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:9", "127.0.0.1:9"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reached(listens.parse().unwrap()), is_reached.parse().unwrap());
        }
    }

    #[test]
    fn what_is_not_as_it_should_be_is_told_and_the_rest_is_not() {
        let body = br#"{"status": "degraded", "checks": [
            {"name": "database", "status": "ok", "detail": "answers"},
            {"name": "streams", "status": "degraded", "detail": "no broker answers"}]}"#;
        assert_eq!(told(200, body), "degraded; streams degraded: no broker answers");
        assert_eq!(told(200, br#"{"status": "ok", "checks": []}"#), "ok");
        assert!(told(404, b"<html>").starts_with("404, and no report"));
    }

    #[test]
    fn an_address_and_a_patience_that_make_no_sense_are_refused() {
        assert!(origin("127.0.0.1:8080").is_err() && origin("ftp://host").is_err());
        assert!(patience("0s").is_err() && patience("61s").is_err() && patience("3").is_err());
        assert_eq!(patience("500ms"), Ok(Duration::from_millis(500)));
    }
}

//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Progress of some work.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    total: Option<u64>,
    done: u64,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// Starts; `total` where it is known.
    pub(crate) fn of(what: &'static str, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let template = if total.is_some() {
                "{msg} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta} left"
            } else {
                "{msg} {spinner} {human_pos}, {per_sec}, {elapsed}"
            };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(what);
            bar
        });
        let now = Instant::now();
        Self { bar, what, total, done: 0, started: now, said: now }
    }

    /// Some more is done.
    pub(crate) fn add(&mut self, count: u64) {
        self.done += count;
        match &self.bar {
            Some(bar) => bar.inc(count),
            None if self.said.elapsed() >= LINE_EVERY => {
                self.said = Instant::now();
                eprintln!("{}: {}{}", self.what, self.rate(), self.left());
            }
            None => {}
        }
    }

    /// All is done.
    pub(crate) fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: {}", self.what, self.rate());
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    fn rate(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = self.done as f64 / seconds;
        format!("{} in {seconds:.1} s, {rate:.0}/s", self.done)
    }

    /// How much is left, and for how long at the same rate; nothing where nobody knows.
    #[allow(clippy::cast_precision_loss, reason = "a guess for people")]
    fn left(&self) -> String {
        let Some(left) = self.total.and_then(|total| total.checked_sub(self.done)) else {
            return String::new();
        };
        let seconds = self.started.elapsed().as_secs_f64() * left as f64 / self.done.max(1) as f64;
        format!(", {left} left, about {seconds:.0} s")
    }
}

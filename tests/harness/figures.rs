//! What an instance counts and measures, as Prometheus reads it.

use super::Pharmacy;

impl Pharmacy {
    /// The sum of all samples of a figure; 0 where there is none yet.
    pub(crate) async fn figure(&self, name: &str) -> f64 {
        let text = self.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
        let of_figure = |line: &&str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
        };
        let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        text.lines().filter(of_figure).map(value).sum()
    }
}

//! `dispense token`: a token signed with the development key, for trying things by hand.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use dispensary::ClientType;
use dispense_http::auth::development::{DevelopmentClaims, DevelopmentKey};
use dispense_http::auth::{Audience, Issuer};
use uuid::Uuid;

use crate::config::{Mistakes, Reader, duration, home};

/// Issuer and audience of development tokens, unless `AUTH_ISSUER` and `AUTH_AUDIENCE` say otherwise.
pub(crate) const DEVELOPMENT: &str = "dispense-development";

/// The file of the development key below `DISPENSE_HOME`.
const KEY: &str = "token-key.pem";

/// Prints a token and nothing else. It is believed only by `dispense dev`, and by a `serve` with
/// `AUTH_ALLOW_DEVELOPMENT_KEY=true`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The user's id
    #[arg(long)]
    user: Uuid,
    /// The legal entity's id
    #[arg(long)]
    client: Uuid,
    /// PHARMACY, `MSP_PHARMACY`, MSP, NHS, MIS or CABINET
    #[arg(long)]
    client_type: ClientType,
    /// Scopes with blanks between, such as "`medication_dispense:write` `medication_dispense:read`"
    #[arg(long)]
    scope: String,
    /// How long it is good: 90s, 10m, 2h
    #[arg(long, default_value = "1h", value_parser = ttl)]
    ttl: Duration,
}

fn ttl(text: &str) -> Result<Duration, String> {
    duration(text)
        .filter(|ttl| (1..=86_400 * 31).contains(&ttl.as_secs()))
        .ok_or_else(|| "expected a duration from 1s to 744h, such as 2h".to_owned())
}

/// The development key below that folder; made if it is not there.
pub(crate) fn key(home: &Path) -> anyhow::Result<DevelopmentKey> {
    std::fs::create_dir_all(home)
        .with_context(|| format!("cannot make the folder {}", home.display()))?;
    Ok(DevelopmentKey::load_or_create(&home.join(KEY))?)
}

/// Issuer and audience as the settings have them.
pub(crate) fn parties(reader: &mut Reader) -> Result<(Issuer, Audience), Mistakes> {
    let issuer = reader.optional("AUTH_ISSUER", |text| text.parse().ok());
    let audience = reader.optional("AUTH_AUDIENCE", |text| text.parse().ok());
    let usual = (DEVELOPMENT.parse().ok(), DEVELOPMENT.parse().ok());
    match (issuer.or(usual.0), audience.or(usual.1), reader.mistakes()) {
        (Some(issuer), Some(audience), None) => Ok((issuer, audience)),
        (_, _, mistakes) => Err(mistakes.unwrap_or_default()),
    }
}

/// Prints a token.
pub(crate) fn run(mut reader: Reader, arguments: &Arguments) -> anyhow::Result<()> {
    let key = key(&home(&mut reader))?;
    let (issuer, audience) = parties(&mut reader)?;
    let claims = DevelopmentClaims {
        issuer,
        audience,
        user: arguments.user,
        client: arguments.client,
        client_type: arguments.client_type,
        scope: arguments.scope.clone(),
    };
    println!("{}", key.mint(&claims, arguments.ttl)?);
    Ok(())
}

//! `dispense sign`: signs the document of a hold as a pharmacist's own software would, for trying
//! things by hand.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispensary::EventLog;
use dispensary::document::{self, Side};
use dispense_domain::UserId;
use dispense_postgres::{PgLog, PgRegistry, pool};
use dispense_signing::development::{DevelopmentCa, Holder};
use serde_json::value::RawValue;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use super::database;
use crate::config::{Reader, home};

/// The folder of the authority below `DISPENSE_HOME`.
const FOLDER: &str = "ca";

/// Prints a signed container in base64 and nothing else: the document of a hold, with the payment,
/// signed by that user's person. It is believed only where the development authority is trusted:
/// by `dispense dev`, and by a `serve` whose `SIGNATURE_TRUST_ANCHORS` is its `ca/ca.pem`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The dispense
    #[arg(long)]
    dispense: Uuid,
    /// The user who signs: as in the token that will ask
    #[arg(long)]
    user: Uuid,
    /// What the patient paid, such as 136.50; left out of the document if not given
    #[arg(long, value_parser = amount, allow_hyphen_values = true)]
    payment_amount: Option<Box<RawValue>>,
    /// The number of the receipt
    #[arg(long)]
    payment_id: Option<String>,
}

/// A JSON number, as it is written: whether it is a good amount is the service's to say.
fn amount(text: &str) -> Result<Box<RawValue>, String> {
    let number = serde_json::from_str::<serde_json::Number>(text);
    number
        .ok()
        .and_then(|_| RawValue::from_string(text.to_owned()).ok())
        .ok_or_else(|| "expected a number, such as 136.50".to_owned())
}

/// The development authority below that folder; made if it is not there.
pub(crate) fn authority(home: &Path) -> anyhow::Result<DevelopmentCa> {
    let folder = home.join(FOLDER);
    DevelopmentCa::load_or_create(&folder)
        .with_context(|| format!("no development authority in {}", folder.display()))
}

/// Signs, and prints the container.
pub(crate) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<()> {
    let home = home(&mut reader);
    let authority = authority(&home)?;
    let database = database::of(reader, &home)?;
    let (holder, document) = found(&database, &arguments).await?;
    let document = paid(&document, arguments)?;
    println!("{}", BASE64.encode(authority.sign(&holder, document.as_bytes())?));
    Ok(())
}

/// The person who signs, and the document that is to be signed.
async fn found(
    database: &PgConnectOptions,
    arguments: &Arguments,
) -> anyhow::Result<(Holder, Box<RawValue>)> {
    let pool = pool(database, 1);
    let settings = PgLog::settings(&pool, None).await?;
    let registry = PgRegistry::new(pool.clone(), settings.partitions, settings.log_id);
    let registries = registry.refresh().await?;
    let user = UserId::from(arguments.user);
    let party = registries.party_users.get(&user).map(|user| user.party_id);
    let Some(party) = party.and_then(|id| registries.parties.get(&id)) else {
        bail!("--user: the registry links {} with no person", arguments.user);
    };
    let Some(tax_id) = &party.tax_id else {
        bail!("--user: the registry has no tax id of {}", party.last_name);
    };
    let holder = Holder {
        tax_id: tax_id.as_str().to_owned(),
        surname: party.last_name.as_str().to_owned(),
        given_name: party.first_name.as_str().to_owned(),
    };
    let log = PgLog::to_read(pool, settings);
    let id = arguments.dispense.into();
    let Some(request) = log.request_of(id).await? else {
        bail!("--dispense: there is no dispense {}", arguments.dispense);
    };
    let stream = log.stream(request).await?;
    Ok((holder, document::frozen(&stream.events, id, Side::Whole)?))
}

/// The document with the payment in it.
fn paid(document: &RawValue, arguments: Arguments) -> anyhow::Result<String> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(document.get())?;
    match arguments.payment_amount {
        Some(amount) => members.insert("payment_amount".to_owned(), amount),
        None => members.remove("payment_amount"),
    };
    if let Some(id) = arguments.payment_id {
        members.insert("payment_id".to_owned(), serde_json::value::to_raw_value(&id)?);
    }
    Ok(serde_json::to_string(&members)?)
}

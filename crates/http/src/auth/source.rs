//! Where a key set is read from: a file, or an address.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::io::AsyncReadExt;

use super::config::JwksSource;

/// The largest key set that is read, in bytes; a set of 32 keys with certificates stays below it.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// How long an issuer may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an issuer may take in all; a request with an unknown key waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no new key set.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("the key set {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address does not answer, or not in time.
    #[error("the key set {url} cannot be fetched")]
    Unreachable {
        /// The address.
        url: Url,
        /// What went wrong on the way.
        source: reqwest::Error,
    },
    /// The address answers, but not with a key set.
    #[error("the key set {url} was answered with status {status}")]
    Status {
        /// The address.
        url: Url,
        /// Its answer.
        status: u16,
    },
    /// The key set is longer than any real one.
    #[error("the key set is larger than {} KiB", MAX_KEY_SET_BYTES / 1024)]
    TooLarge,
    /// What came is not a JWKS document.
    #[error("this is not a key set (JWKS)")]
    NotAKeySet(#[source] serde_json::Error),
    /// The set has more keys than an issuer would have.
    #[error("the key set holds {0} keys, more than 32")]
    TooManyKeys(usize),
    /// No key of the set can check a token.
    #[error(
        "the key set holds no key for RS256 (2048 bits or more), ES256 or EdDSA (Ed25519); \
         warnings before this one say what is wrong with each"
    )]
    NoUsableKey,
    /// The set holds a development key.
    #[error(
        "the key set holds the development key {0:?}, with which anyone on the machine that made \
         it can mint tokens; AUTH_ALLOW_DEVELOPMENT_KEY=true accepts it, for development only"
    )]
    DevelopmentKey(String),
}

/// A source that is ready to be read, again and again.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Url { url: Url, client: Client },
}

impl Source {
    /// Prepares to read.
    pub(super) fn open(source: &JwksSource) -> Result<Self, KeysError> {
        match source {
            JwksSource::File(path) => Ok(Self::File(path.clone())),
            JwksSource::Url(url) => {
                let client = client(url).map_err(|source| unreachable(url, source))?;
                Ok(Self::Url { url: url.clone(), client })
            }
        }
    }

    /// Reads the document, whatever it holds.
    pub(super) async fn read(&self) -> Result<Vec<u8>, KeysError> {
        match self {
            Self::File(path) => read_file(path).await,
            Self::Url { url, client } => fetch(client, url).await,
        }
    }
}

/// Builds a client for one address.
fn client(url: &Url) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // A redirect could lead from https to http, or to anybody.
        .redirect(Policy::none())
        // A connection would be idle for minutes, and belongs to the runtime that made it.
        .pool_max_idle_per_host(0);
    if url.scheme() == "https" {
        builder.https_only(true).build()
    } else {
        // On this machine there is no proxy in between, and no certificate to look for.
        builder.no_proxy().tls_certs_only([]).build()
    }
}

async fn read_file(path: &Path) -> Result<Vec<u8>, KeysError> {
    let unreadable = |source| KeysError::Unreadable { path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut read = Vec::new();
    let bound = MAX_KEY_SET_BYTES as u64 + 1;
    file.take(bound).read_to_end(&mut read).await.map_err(unreadable)?;
    if read.len() > MAX_KEY_SET_BYTES { Err(KeysError::TooLarge) } else { Ok(read) }
}

async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, KeysError> {
    let mut answer = client.get(url.clone()).send().await.map_err(|e| unreachable(url, e))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(KeysError::Status { url: url.clone(), status: status.as_u16() });
    }
    let mut read = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| unreachable(url, e))? {
        if read.len() + chunk.len() > MAX_KEY_SET_BYTES {
            return Err(KeysError::TooLarge);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

fn unreachable(url: &Url, source: reqwest::Error) -> KeysError {
    KeysError::Unreachable { url: url.clone(), source: source.without_url() }
}

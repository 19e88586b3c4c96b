//! A key of one's own, to mint tokens where there is no issuer.
//!
//! Its public half says in its name that it is for development, and a service that is not told to
//! accept it does not start with it: see [`super::DevelopmentKeys`].

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dispensary::asker::ClientType;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::config::{Audience, Issuer};
use super::key_ring::unix_time;

/// How the `kid` of every development key starts.
pub const KID_PREFIX: &str = "dispense-development";

const PEM_HEAD: &str = "-----BEGIN PRIVATE KEY-----\n";
const PEM_FOOT: &str = "\n-----END PRIVATE KEY-----\n";

/// An Ed25519 key that mints tokens for development.
pub struct DevelopmentKey {
    private: EncodingKey,
    public: Vec<u8>,
    kid: String,
    jwks_path: PathBuf,
}

/// What a token for development says.
#[derive(Debug, Clone)]
pub struct DevelopmentClaims {
    /// The issuer that the service expects.
    pub issuer: Issuer,
    /// The audience that the service expects.
    pub audience: Audience,
    /// The user.
    pub user: Uuid,
    /// The legal entity.
    pub client: Uuid,
    /// Its client type.
    pub client_type: ClientType,
    /// What the token allows, separated by spaces.
    pub scope: String,
}

/// Why there is no development key, or no token.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentKeyError {
    /// A file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not an Ed25519 private key in PEM (PKCS#8); remove it for a new one", .0.display())]
    NotAKey(PathBuf),
    /// The crypto library has failed to make a key.
    #[error("no key could be generated")]
    NotGenerated,
    /// The crypto library has failed to sign.
    #[error("the token could not be signed")]
    NotSigned(#[source] jsonwebtoken::errors::Error),
}

impl DevelopmentKey {
    /// Loads the private key from a PEM file, which is made (for the owner alone) if it is not
    /// there; and writes the public key beside it, as `<name>.jwks.json`.
    ///
    /// Two processes that start together get the same key.
    ///
    /// # Errors
    ///
    /// [`DevelopmentKeyError`], which names the file.
    pub fn load_or_create(path: &Path) -> Result<Self, DevelopmentKeyError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| DevelopmentKeyError::File { path, source }
        };
        if !path.try_exists().map_err(at(path))? {
            create(path)?;
        }
        warn_if_readable_by_others(path);
        let pem = fs::read_to_string(path).map_err(at(path))?;
        let pair = pkcs8_of(&pem).ok_or_else(|| DevelopmentKeyError::NotAKey(path.to_owned()))?;
        let public = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pair)
            .map_err(|_| DevelopmentKeyError::NotAKey(path.to_owned()))?
            .public_key()
            .as_ref()
            .to_vec();
        // A key that is made anew gets another name, so that a running service looks for it.
        let kid = format!("{KID_PREFIX}-{}", &hex::encode(Sha256::digest(&public))[..16]);
        let jwks_path = path.with_extension("jwks.json");
        let key = Self { private: EncodingKey::from_ed_der(&pair), public, kid, jwks_path };
        let document = format!("{:#}\n", key.jwks());
        if fs::read_to_string(&key.jwks_path).ok().as_deref() != Some(&document) {
            replace(&key.jwks_path, &document).map_err(at(&key.jwks_path))?;
        }
        Ok(key)
    }

    /// Returns where the public key is, for `AUTH_JWKS`.
    #[must_use]
    pub fn jwks_path(&self) -> &Path {
        &self.jwks_path
    }

    /// Returns the public key as a key set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(&self.public),
        }]})
    }

    /// Mints a token that holds from now on for `ttl`.
    ///
    /// # Errors
    ///
    /// [`DevelopmentKeyError::NotSigned`].
    pub fn mint(
        &self,
        claims: &DevelopmentClaims,
        ttl: Duration,
    ) -> Result<String, DevelopmentKeyError> {
        let now = unix_time();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        let claims = json!({
            "iss": claims.issuer.as_str(),
            "aud": claims.audience.as_str(),
            "sub": claims.user,
            "client_id": claims.client,
            "client_type": claims.client_type.as_str(),
            "scope": claims.scope,
            "iat": now.as_secs(),
            "nbf": now.as_secs(),
            "exp": now.saturating_add(ttl).as_secs(),
        });
        jsonwebtoken::encode(&header, &claims, &self.private)
            .map_err(DevelopmentKeyError::NotSigned)
    }
}

/// Makes a key file that is complete from its first moment, and leaves one that is there already.
fn create(path: &Path) -> Result<(), DevelopmentKeyError> {
    let at = |source| DevelopmentKeyError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at)?;
    }
    let pair = Ed25519KeyPair::generate().map_err(|_| DevelopmentKeyError::NotGenerated)?;
    // Version 1 of PKCS#8 is what OpenSSL reads too.
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| DevelopmentKeyError::NotGenerated)?;
    let pem = format!("{PEM_HEAD}{}{PEM_FOOT}", STANDARD.encode(pkcs8));
    let draft = draft_of(path);
    write_new(&draft, &pem, 0o600).map_err(at)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(at)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(at(error)),
        _ => Ok(()),
    }
}

/// Replaces a file at once, so that nobody reads half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = draft_of(path);
    write_new(&draft, text, 0o644)?;
    fs::rename(&draft, path)
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    // A draft of this name can only be left over from a process of the same number that was killed.
    let _none_left = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Returns a name beside the file that nobody else uses at the same time.
fn draft_of(path: &Path) -> PathBuf {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}-{number}", std::process::id()));
    PathBuf::from(name)
}

fn pkcs8_of(pem: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix(PEM_HEAD.trim())?.strip_suffix(PEM_FOOT.trim())?;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}

fn warn_if_readable_by_others(path: &Path) {
    let others = |permissions: Permissions| permissions.mode() & 0o077 != 0;
    if fs::metadata(path).is_ok_and(|file| others(file.permissions())) {
        tracing::warn!(
            path = %path.display(),
            "others than its owner can read the development key; `chmod 600` it"
        );
    }
}

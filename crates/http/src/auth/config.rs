//! How to authenticate, as the operator set it.
//!
//! Each type reads its setting from text; what went wrong says what is expected, so that the report
//! of all settings can print it beside the name. A secret never appears in it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

/// Bytes that a gateway secret must have at least: 16 random characters withstand guessing.
const MIN_SECRET_BYTES: usize = 16;

/// How requests are authenticated.
#[derive(Debug, Clone)]
pub enum AuthConfig {
    /// By signed bearer tokens.
    Jwt(JwtConfig),
    /// By headers of a gateway that has checked the token.
    Gateway {
        /// What only the gateway knows.
        secret: GatewaySecret,
    },
}

/// How bearer tokens are checked.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// Where the keys come from (`AUTH_JWKS`).
    pub jwks: JwksSource,
    /// Who must have issued a token (`AUTH_ISSUER`).
    pub issuer: Issuer,
    /// For whom a token must be (`AUTH_AUDIENCE`).
    pub audience: Audience,
    /// What to do about a development key (`AUTH_ALLOW_DEVELOPMENT_KEY`).
    pub development_keys: DevelopmentKeys,
    /// When the keys are read again.
    pub schedule: KeySchedule,
}

/// Which of the two ways to authenticate (`AUTH_MODE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Bearer tokens.
    Jwt,
    /// Headers of a gateway.
    Gateway,
}

/// Whether a key set may hold a development key, of which everybody on the machine may have the
/// private half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevelopmentKeys {
    /// Such a key set is not loaded.
    Refused,
    /// For development only.
    Allowed,
}

/// When the keys are read again.
#[derive(Debug, Clone, Copy)]
pub struct KeySchedule {
    /// In the background, this often.
    pub every: Duration,
    /// For a token with an unknown key, at most this often, so that made-up tokens cannot turn this
    /// service against the issuer.
    pub unknown_key_at_most_every: Duration,
}

impl Default for KeySchedule {
    fn default() -> Self {
        Self { every: Duration::from_mins(5), unknown_key_at_most_every: Duration::from_secs(10) }
    }
}

/// Where the keys come from: a JWKS file or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// A file.
    File(PathBuf),
    /// An `https` address, or `http` on this machine.
    Url(Url),
}

/// Who issues tokens: the `iss` claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// For whom tokens are: a member of the `aud` claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(String);

/// The secret that the gateway sends in `x-gateway-secret`.
#[derive(Clone)]
pub struct GatewaySecret(String);

/// Why the text of a setting was not taken: what is expected in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, for example {example}")]
pub struct SettingError {
    /// What is expected.
    pub expected: &'static str,
    /// A value that would be right.
    pub example: &'static str,
}

impl Issuer {
    /// Returns the text of the claim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Audience {
    /// Returns the text of the claim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl GatewaySecret {
    /// Returns the secret; for comparing, not for printing.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GatewaySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewaySecret(…)")
    }
}

impl fmt::Display for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

impl FromStr for AuthMode {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "jwt" => Ok(Self::Jwt),
            "gateway" => Ok(Self::Gateway),
            _ => Err(SettingError { expected: "jwt or gateway", example: "jwt" }),
        }
    }
}

impl FromStr for DevelopmentKeys {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "true" => Ok(Self::Allowed),
            "false" => Ok(Self::Refused),
            _ => Err(SettingError {
                expected: "true (for development only) or false",
                example: "false",
            }),
        }
    }
}

impl FromStr for Issuer {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "the iss claim of your tokens, letter by letter";
        claim(text, SettingError { expected, example: "https://id.example.org/" }).map(Self)
    }
}

impl FromStr for Audience {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "a name that your tokens carry in their aud claim";
        claim(text, SettingError { expected, example: "dispense" }).map(Self)
    }
}

/// Takes a text for a claim: an empty one, or one with blanks at its ends, would match no token.
fn claim(text: &str, otherwise: SettingError) -> Result<String, SettingError> {
    if text.is_empty() || text.trim() != text { Err(otherwise) } else { Ok(text.to_owned()) }
}

impl FromStr for GatewaySecret {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A header can carry visible ASCII; anything else would be a secret that never matches.
        if text.len() >= MIN_SECRET_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SettingError {
                expected: "a secret of at least 16 visible ASCII characters",
                example: "what `openssl rand -hex 32` prints",
            })
        }
    }
}

impl FromStr for JwksSource {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.contains('\0') {
            return Err(JWKS_EXPECTED);
        }
        if !text.contains("://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(|_| JWKS_EXPECTED)?;
        // The address is printed in warnings, so it must not carry a password.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(JWKS_EXPECTED);
        }
        match url.scheme() {
            "https" if url.has_host() => Ok(Self::Url(url)),
            "http" if is_loopback(&url) => Ok(Self::Url(url)),
            "file" => url.to_file_path().map(Self::File).map_err(|()| JWKS_EXPECTED),
            _ => Err(JWKS_EXPECTED),
        }
    }
}

const JWKS_EXPECTED: SettingError = SettingError {
    expected: "the path of a JWKS file, or an https address without user and password \
        (http only on this machine)",
    example: "https://id.example.org/.well-known/jwks.json",
};

/// Says whether the address is of this machine, where nobody sits in between.
fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

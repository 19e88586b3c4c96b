//! What a certificate says.

use std::time::{Duration, SystemTime};

use openssl::asn1::Asn1Type;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

/// How long a certificate is valid, unless said otherwise.
const VALID: Duration = Duration::from_hours(24);

/// How long before now it begins, for clocks that are behind.
const BEFORE: Duration = Duration::from_mins(5);

/// The purpose of a seal of a company, in Ukraine.
const SEAL: &str = "1.2.804.2.1.1.1.3.9";

/// How long an authority is valid, unless said otherwise.
const AUTHORITY_VALID: Duration = Duration::from_hours(10 * 365 * 24);

/// A person who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The tax id (DRFO), without prefix.
    pub tax_id: String,
    /// The surname.
    pub surname: String,
    /// The given name.
    pub given_name: String,
}

/// What kind of key a certificate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An elliptic curve of NIST, P-256.
    P256,
    /// An elliptic curve of NIST, P-384.
    P384,
    /// An elliptic curve of NIST, P-521.
    P521,
    /// RSA with so many bits.
    Rsa(u32),
}

impl KeyKind {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn generate(self) -> Result<PKey<Private>, ErrorStack> {
        let curve = |name| PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(name)?)?);
        match self {
            Self::P256 => curve(Nid::X9_62_PRIME256V1),
            Self::P384 => curve(Nid::SECP384R1),
            Self::P521 => curve(Nid::SECP521R1),
            Self::Rsa(bits) => PKey::from_rsa(Rsa::generate(bits)?),
        }
    }
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// To sign documents.
    Signing,
    /// To encipher keys, and nothing else.
    Encryption,
    /// The certificate does not say, nor whether it is that of an authority.
    Unsaid,
    /// To sign certificates, and lists of revoked ones.
    Authority {
        /// How many authorities may be below, if there is a limit.
        below: Option<u32>,
    },
}

/// What a certificate says about its holder and itself.
#[derive(Clone)]
pub struct Profile {
    pub(super) subject: Vec<Name>,
    pub(super) since: SystemTime,
    pub(super) until: SystemTime,
    pub(super) usage: Usage,
    pub(super) purposes: Vec<String>,
    pub(super) extensions: Vec<Extension>,
    pub(super) key: KeyKind,
    pub(super) signed_over: MessageDigest,
}

/// A name of a subject.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) attribute: Nid,
    /// The kind of string, where it is not left to OpenSSL.
    pub(super) kind: Option<Asn1Type>,
    pub(super) value: String,
}

impl Name {
    fn new(attribute: Nid, value: impl Into<String>) -> Self {
        Self { attribute, kind: None, value: value.into() }
    }
}

/// An extension that nobody makes but tests.
#[derive(Debug, Clone)]
pub(super) struct Extension {
    pub(super) oid: String,
    pub(super) critical: bool,
    pub(super) der: Vec<u8>,
}

impl Profile {
    /// What the certificate of a person says who may sign: `TINUA-` and the tax id, the names; valid
    /// from five minutes ago for a day.
    #[must_use]
    pub fn of(holder: &Holder) -> Self {
        let Holder { tax_id, surname, given_name } = holder;
        let subject = vec![
            Name::new(Nid::COUNTRYNAME, "UA"),
            Name::new(Nid::COMMONNAME, format!("{surname} {given_name}")),
            Name::new(Nid::SURNAME, surname),
            Name::new(Nid::GIVENNAME, given_name),
            Name::new(Nid::SERIALNUMBER, format!("TINUA-{tax_id}")),
        ];
        Self::new(subject, VALID, Usage::Signing)
    }

    /// What the certificate of an authority says; valid from five minutes ago for ten years.
    #[must_use]
    pub fn authority(name: &str) -> Self {
        let subject = vec![Name::new(Nid::COUNTRYNAME, "UA"), Name::new(Nid::COMMONNAME, name)];
        Self::new(subject, AUTHORITY_VALID, Usage::Authority { below: None })
    }

    fn new(subject: Vec<Name>, valid: Duration, usage: Usage) -> Self {
        let now = SystemTime::now();
        Self {
            subject,
            since: now - BEFORE,
            until: now + valid,
            usage,
            purposes: Vec::new(),
            extensions: Vec::new(),
            key: KeyKind::P256,
            signed_over: MessageDigest::sha256(),
        }
    }

    /// The same, valid from `since` to `until`.
    #[must_use]
    pub fn valid(self, since: SystemTime, until: SystemTime) -> Self {
        Self { since, until, ..self }
    }

    /// The same, valid until a day ago.
    #[must_use]
    pub fn expired(self) -> Self {
        let now = SystemTime::now();
        self.valid(now - 2 * VALID, now - VALID)
    }

    /// The same, valid from tomorrow.
    #[must_use]
    pub fn not_yet_valid(self) -> Self {
        let now = SystemTime::now();
        self.valid(now + VALID, now + 2 * VALID)
    }

    /// The same, with one more name of the subject.
    #[must_use]
    pub fn also_named(mut self, attribute: Nid, value: &str) -> Self {
        self.subject.push(Name::new(attribute, value));
        self
    }

    /// The same, with one more name of the subject, as that kind of string, byte for byte.
    #[must_use]
    pub fn also_written(mut self, attribute: Nid, kind: Asn1Type, bytes: &str) -> Self {
        self.subject.push(Name { attribute, kind: Some(kind), value: bytes.to_owned() });
        self
    }

    /// The same, without a name of the subject.
    #[must_use]
    pub fn without(mut self, attribute: Nid) -> Self {
        self.subject.retain(|it| it.attribute != attribute);
        self
    }

    /// The same, but the seal of a company.
    #[must_use]
    pub fn seal(self) -> Self {
        self.for_purpose(SEAL)
    }

    /// The same, for one more purpose (extended key usage).
    #[must_use]
    pub fn for_purpose(mut self, oid: &str) -> Self {
        self.purposes.push(oid.to_owned());
        self
    }

    /// The same, for that usage of the key.
    #[must_use]
    pub fn usage(self, usage: Usage) -> Self {
        Self { usage, ..self }
    }

    /// The same, with one more extension that may be passed over.
    #[must_use]
    pub fn extension(mut self, oid: &str, der: &[u8]) -> Self {
        self.extensions.push(Extension { oid: oid.to_owned(), critical: false, der: der.to_vec() });
        self
    }

    /// The same, with one more extension that must not be passed over.
    #[must_use]
    pub fn critical_extension(mut self, oid: &str, der: &[u8]) -> Self {
        self.extensions.push(Extension { oid: oid.to_owned(), critical: true, der: der.to_vec() });
        self
    }

    /// The same, with another kind of key.
    #[must_use]
    pub fn key(self, key: KeyKind) -> Self {
        Self { key, ..self }
    }

    /// The same, signed by the authority over that digest.
    #[must_use]
    pub fn signed_over(self, digest: MessageDigest) -> Self {
        Self { signed_over: digest, ..self }
    }
}

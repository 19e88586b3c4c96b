//! Lists of revoked certificates (CRLs, RFC 5280).
//!
//! Only whole lists for all certificates of an authority are understood. One that says more, in a
//! critical extension, is refused when it is read: to half understand it would be to overlook a
//! revocation.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::{Decode, Encode};
use openssl::error::ErrorStack;
use openssl::x509::{X509, X509Crl};
use x509_cert::crl::CertificateList;
use x509_cert::ext::Extension;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::algorithm::Scheme;
use crate::certificate::Certificate;

/// Why a list is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableList {
    #[error("is not a list of revoked certificates in DER or PEM")]
    Unreadable,
    #[error("is signed with an algorithm that is not allowed")]
    Algorithm,
    #[error("does not say when its next issue is due, so it cannot be known to be current")]
    NoNextIssue,
    #[error("is only a part (a delta, or for some certificates); whole lists are needed")]
    Partial,
}

/// A list of revoked certificates.
pub(crate) struct RevocationList {
    issuer: Vec<u8>,
    since: Duration,
    until: Duration,
    serial_numbers: HashSet<Vec<u8>>,
    signed: X509Crl,
    /// The public key that its signature was checked with: hashing a long list for each container
    /// would cost more than all the rest.
    checked_with: OnceLock<SubjectPublicKeyInfoOwned>,
}

impl RevocationList {
    /// Reads a list in DER.
    ///
    /// # Errors
    ///
    /// Why it is not used.
    pub(crate) fn read(der: &[u8]) -> Result<Self, UnusableList> {
        let parsed = CertificateList::from_der(der).map_err(|_| UnusableList::Unreadable)?;
        let signed = X509Crl::from_der(der).map_err(|_| UnusableList::Unreadable)?;
        let list = parsed.tbs_cert_list;
        let scheme = Scheme::named(&parsed.signature_algorithm).and_then(|it| it.digest);
        if scheme.is_none() {
            return Err(UnusableList::Algorithm);
        }
        let next_update = list.next_update.ok_or(UnusableList::NoNextIssue)?;
        let revoked = list.revoked_certificates.unwrap_or_default();
        let of_entries = revoked.iter().filter_map(|it| it.crl_entry_extensions.as_deref());
        let is_critical = |extensions: &[Extension]| extensions.iter().any(|it| it.critical);
        if is_critical(list.crl_extensions.as_deref().unwrap_or_default())
            || of_entries.into_iter().any(is_critical)
        {
            return Err(UnusableList::Partial);
        }
        let serial_numbers = revoked.iter().map(|it| it.serial_number.as_bytes().to_vec());
        Ok(Self {
            issuer: list.issuer.to_der().map_err(|_| UnusableList::Unreadable)?,
            since: list.this_update.to_unix_duration(),
            until: next_update.to_unix_duration(),
            serial_numbers: serial_numbers.collect(),
            signed,
            checked_with: OnceLock::new(),
        })
    }

    fn is_current(&self, now: Duration) -> bool {
        self.since <= now && now <= self.until
    }

    /// Whether the key of `issuer` has signed it.
    fn is_signed_by(&self, issuer: &Certificate) -> Result<bool, ErrorStack> {
        let key = &issuer.parsed.tbs_certificate.subject_public_key_info;
        if self.checked_with.get() == Some(key) {
            return Ok(true);
        }
        let signed = self.signed.verify(&*X509::from_der(&issuer.der)?.public_key()?)?;
        if signed {
            // Another thread may have been faster, with the same key or another one of that name.
            let _ = self.checked_with.set(key.clone());
        }
        Ok(signed)
    }
}

/// What the lists say about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revocation {
    /// A current list of its authority does not name it.
    Not,
    /// A current list of its authority names it.
    Revoked,
    /// There is no current list of its authority.
    Unknown,
}

/// All lists.
#[derive(Default)]
pub(crate) struct RevocationLists(pub(crate) Vec<RevocationList>);

impl RevocationLists {
    /// What the lists of `issuer` say about `certificate`.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub(crate) fn look_up(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: SystemTime,
    ) -> Result<Revocation, ErrorStack> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let subject = issuer.parsed.tbs_certificate.subject.to_der().unwrap_or_default();
        let named = self.0.iter().filter(|it| it.issuer == subject && it.is_current(now));
        if !issuer.signs_revocations() {
            return Ok(Revocation::Unknown);
        }
        let serial_number = certificate.parsed.tbs_certificate.serial_number.as_bytes();
        let mut said = Revocation::Unknown;
        for list in named {
            if list.is_signed_by(issuer)? {
                if list.serial_numbers.contains(serial_number) {
                    return Ok(Revocation::Revoked);
                }
                said = Revocation::Not;
            }
        }
        Ok(said)
    }

    /// The lists that are not current.
    pub(crate) fn stale(&self, now: SystemTime) -> usize {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.iter().filter(|it| !it.is_current(now)).count()
    }
}

//! Authorities, and those whom they have issued certificates to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{
    X509, X509Builder, X509CrlBuilder, X509Extension, X509Name, X509RevokedBuilder,
};

use super::profile::{KeyKind, Profile, Usage};

/// How long an authority is valid.
const VALID: Duration = Duration::from_hours(10 * 365 * 24);

/// How long before now it begins, for clocks that are behind.
const BEFORE: Duration = Duration::from_hours(24);

/// X.509 version 3, counted from 0.
const VERSION_3: i32 = 2;

/// Bits of a serial number: one fewer than 16 bytes, so that it is positive.
const SERIAL_NUMBER_BITS: i32 = 127;

/// Somebody who issues certificates.
#[derive(Debug, Clone)]
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
    /// Its own certificate and those above it, without the root.
    chain: Vec<X509>,
}

/// Somebody who has a certificate, and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: X509,
    /// Its private key.
    pub key: PKey<Private>,
    /// The certificates of the authorities above, without the root.
    pub chain: Vec<X509>,
}

impl Authority {
    /// Makes an authority above which there is none.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn root(name: &str) -> Result<Self, ErrorStack> {
        let key = KeyKind::P256.generate()?;
        let name = authority_name(name)?;
        let certificate = authority_certificate(&name, &key, None, &key)?;
        Ok(Self { certificate, key, chain: Vec::new() })
    }

    /// Makes an authority below this one.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn subordinate(&self, name: &str) -> Result<Self, ErrorStack> {
        let key = KeyKind::P256.generate()?;
        let name = authority_name(name)?;
        let certificate = authority_certificate(&name, &key, Some(&self.certificate), &self.key)?;
        let mut chain = vec![certificate.clone()];
        chain.extend(self.chain.iter().cloned());
        Ok(Self { certificate, key, chain })
    }

    /// The root with that certificate and key.
    pub(super) fn of(certificate: X509, key: PKey<Private>) -> Self {
        Self { certificate, key, chain: Vec::new() }
    }

    /// Its certificate in PEM.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn certificate_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.certificate.to_pem()
    }

    pub(super) fn key_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.key.private_key_to_pem_pkcs8()
    }

    /// Issues a certificate with a fresh key.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn issue(&self, profile: &Profile) -> Result<Identity, ErrorStack> {
        self.issue_for(profile, profile.key.generate()?)
    }

    /// Issues a certificate for a key that is there.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn issue_for(&self, profile: &Profile, key: PKey<Private>) -> Result<Identity, ErrorStack> {
        let mut builder =
            begun(&subject(profile)?, &key, &self.certificate.subject_name().to_owned()?)?;
        valid(&mut builder, profile.since, profile.until)?;
        builder.append_extension(BasicConstraints::new().build()?)?;
        match profile.usage {
            Usage::Signing => {
                let usage =
                    KeyUsage::new().critical().digital_signature().non_repudiation().build()?;
                builder.append_extension(usage)?;
            }
            Usage::Encryption => {
                let usage = KeyUsage::new().critical().key_encipherment().build()?;
                builder.append_extension(usage)?;
            }
            Usage::Unsaid => {}
        }
        if !profile.purposes.is_empty() {
            let mut purposes = ExtendedKeyUsage::new();
            for purpose in &profile.purposes {
                purposes.other(purpose);
            }
            builder.append_extension(purposes.build()?)?;
        }
        for extension in &profile.extensions {
            let oid = Asn1Object::from_str(&extension.oid)?;
            let value = Asn1OctetString::new_from_bytes(&extension.der)?;
            let built = X509Extension::new_from_der(&oid, extension.critical, &value)?;
            builder.append_extension(built)?;
        }
        identified(&mut builder, Some(&self.certificate))?;
        builder.sign(&self.key, profile.signed_over)?;
        Ok(Identity { certificate: builder.build(), key, chain: self.chain.clone() })
    }

    /// Its list of revoked certificates, in PEM, current from yesterday to `until`.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn revocation_list(
        &self,
        revoked: &[&X509],
        until: SystemTime,
    ) -> Result<Vec<u8>, ErrorStack> {
        let now = SystemTime::now();
        let since = if until > now { now - BEFORE } else { until - BEFORE };
        let mut list = X509CrlBuilder::new()?;
        list.set_issuer_name(self.certificate.subject_name())?;
        list.set_last_update(&*time(since)?)?;
        list.set_next_update(&*time(until)?)?;
        for certificate in revoked {
            let mut entry = X509RevokedBuilder::new()?;
            entry.set_serial_number(certificate.serial_number())?;
            entry.set_revocation_date(&*time(since)?)?;
            list.add_revoked(entry.build())?;
        }
        list.sort()?;
        list.sign(&self.key, MessageDigest::sha256())?;
        list.build()?.to_pem()
    }

    /// Its own certificate.
    #[must_use]
    pub fn certificate(&self) -> &X509 {
        &self.certificate
    }
}

impl Identity {
    /// The certificates that go into a container beside its own.
    pub(super) fn others(&self) -> Result<Stack<X509>, ErrorStack> {
        let mut others = Stack::new()?;
        for certificate in &self.chain {
            others.push(certificate.clone())?;
        }
        Ok(others)
    }
}

fn authority_certificate(
    name: &X509Name,
    key: &PKey<Private>,
    issuer: Option<&X509>,
    issuer_key: &PKey<Private>,
) -> Result<X509, ErrorStack> {
    let issuer_name = issuer.map_or(&**name, |it| it.subject_name()).to_owned()?;
    let mut builder = begun(name, key, &issuer_name)?;
    let now = SystemTime::now();
    valid(&mut builder, now - BEFORE, now + VALID)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
    identified(&mut builder, issuer)?;
    builder.sign(issuer_key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn begun(
    subject: &X509Name,
    key: &PKeyRef<Private>,
    issuer: &X509Name,
) -> Result<X509Builder, ErrorStack> {
    let mut number = BigNum::new()?;
    number.rand(SERIAL_NUMBER_BITS, MsbOption::ONE, false)?;
    let mut builder = X509Builder::new()?;
    builder.set_version(VERSION_3)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&number)?)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

/// The identifiers of its key and of that of its issuer, which find the way up where names repeat.
fn identified(builder: &mut X509Builder, issuer: Option<&X509>) -> Result<(), ErrorStack> {
    let own = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(own)?;
    if let Some(issuer) = issuer {
        let context = builder.x509v3_context(Some(issuer), None);
        let above = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
        builder.append_extension(above)?;
    }
    Ok(())
}

fn valid(
    builder: &mut X509Builder,
    since: SystemTime,
    until: SystemTime,
) -> Result<(), ErrorStack> {
    builder.set_not_before(&*time(since)?)?;
    builder.set_not_after(&*time(until)?)
}

fn time(at: SystemTime) -> Result<Asn1Time, ErrorStack> {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Asn1Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn authority_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(Nid::COUNTRYNAME, "UA")?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

fn subject(profile: &Profile) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    for (attribute, value) in &profile.subject {
        builder.append_entry_by_nid(*attribute, value)?;
    }
    Ok(builder.build())
}

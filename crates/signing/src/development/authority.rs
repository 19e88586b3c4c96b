//! Authorities, and those whom they have issued certificates to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, ExtendedKeyUsage, KeyUsage,
    SubjectKeyIdentifier,
};
use openssl::x509::{
    X509, X509Builder, X509CrlBuilder, X509Extension, X509Name, X509Ref, X509RevokedBuilder,
};

use super::profile::{Name, Profile, Usage};

/// How long a list of revoked certificates was current when its time is over.
const LIST_VALID: Duration = Duration::from_hours(24);

/// X.509 version 3, counted from 0.
const VERSION_3: i32 = 2;

/// Bits of the number of a certificate or list: one fewer than 16 bytes, so that it is positive.
const NUMBER_BITS: i32 = 127;

/// Somebody who issues certificates.
#[derive(Debug, Clone)]
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
    /// What goes along with the certificates that it issues.
    chain: Vec<X509>,
}

/// Somebody who has a certificate, and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: X509,
    /// Its private key.
    pub key: PKey<Private>,
    /// What goes into a container beside it: the certificates of the authorities above, without the
    /// root.
    pub chain: Vec<X509>,
}

impl Authority {
    /// Makes an authority above which there is none.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn root(name: &str) -> Result<Self, ErrorStack> {
        let Identity { certificate, key, chain } =
            Identity::self_signed(&Profile::authority(name))?;
        Ok(Self { certificate, key, chain })
    }

    /// Makes an authority below this one.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn subordinate(&self, name: &str) -> Result<Self, ErrorStack> {
        Ok(self.issue(&Profile::authority(name))?.into_authority())
    }

    /// The root with that certificate and key.
    pub(super) fn of(certificate: X509, key: PKey<Private>) -> Self {
        Self { certificate, key, chain: Vec::new() }
    }

    /// Its own certificate.
    #[must_use]
    pub fn certificate(&self) -> &X509 {
        &self.certificate
    }

    /// Its private key.
    #[must_use]
    pub fn key(&self) -> &PKeyRef<Private> {
        &self.key
    }

    /// Its own certificate in PEM.
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
        let issuer = Issuer { certificate: Some(&self.certificate), key: &self.key };
        let certificate = certificate(profile, &key, &issuer)?;
        Ok(Identity { certificate, key, chain: self.chain.clone() })
    }

    /// Its list of revoked certificates, in PEM, current until `until`.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn revocation_list(
        &self,
        revoked: &[&X509Ref],
        until: SystemTime,
    ) -> Result<Vec<u8>, ErrorStack> {
        let since = time(SystemTime::now().min(until) - LIST_VALID)?;
        let mut list = X509CrlBuilder::new()?;
        list.set_issuer_name(self.certificate.subject_name())?;
        list.set_last_update(&since)?;
        list.set_next_update(&*time(until)?)?;
        let builder = X509Builder::new()?;
        let context = builder.x509v3_context(Some(&self.certificate), None);
        list.append_extension(AuthorityKeyIdentifier::new().keyid(true).build(&context)?)?;
        list.append_extension(CrlNumber::new(number()?)?.build()?)?;
        for certificate in revoked {
            let mut entry = X509RevokedBuilder::new()?;
            entry.set_serial_number(certificate.serial_number())?;
            entry.set_revocation_date(&since)?;
            list.add_revoked(entry.build())?;
        }
        list.sort()?;
        list.sign(&self.key, MessageDigest::sha256())?;
        list.build()?.to_pem()
    }
}

impl Identity {
    /// Makes somebody who vouches for himself.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn self_signed(profile: &Profile) -> Result<Self, ErrorStack> {
        let key = profile.key.generate()?;
        let certificate = certificate(profile, &key, &Issuer { certificate: None, key: &key })?;
        Ok(Self { certificate, key, chain: Vec::new() })
    }

    /// The same, as somebody who issues certificates, whether or not he may.
    #[must_use]
    pub fn into_authority(self) -> Authority {
        let Self { certificate, key, chain } = self;
        let chain = [vec![certificate.clone()], chain].concat();
        Authority { certificate, key, chain }
    }

    /// What goes into a container beside its certificate.
    pub(super) fn others(&self) -> Result<Stack<X509>, ErrorStack> {
        let mut others = Stack::new()?;
        for certificate in &self.chain {
            others.push(certificate.clone())?;
        }
        Ok(others)
    }
}

/// Who signs a certificate; without one of its own, the holder.
struct Issuer<'a> {
    certificate: Option<&'a X509Ref>,
    key: &'a PKeyRef<Private>,
}

fn certificate(
    profile: &Profile,
    key: &PKeyRef<Private>,
    issuer: &Issuer,
) -> Result<X509, ErrorStack> {
    let subject = subject(profile)?;
    let mut builder = X509Builder::new()?;
    builder.set_version(VERSION_3)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&*number()?)?)?;
    builder.set_issuer_name(issuer.certificate.map_or(&subject, X509Ref::subject_name))?;
    builder.set_subject_name(&subject)?;
    builder.set_not_before(&*time(profile.since)?)?;
    builder.set_not_after(&*time(profile.until)?)?;
    builder.set_pubkey(key)?;
    for extension in extensions(profile)? {
        builder.append_extension(extension)?;
    }
    // The identifiers of its key and of that of its issuer find the way up where names repeat.
    let own = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(own)?;
    if issuer.certificate.is_some() {
        let context = builder.x509v3_context(issuer.certificate, None);
        let above = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
        builder.append_extension(above)?;
    }
    builder.sign(issuer.key, profile.signed_over)?;
    Ok(builder.build())
}

fn extensions(profile: &Profile) -> Result<Vec<X509Extension>, ErrorStack> {
    let mut constraints = BasicConstraints::new();
    let mut usage = KeyUsage::new();
    let mut extensions = Vec::new();
    match profile.usage {
        Usage::Signing => {
            extensions.push(usage.critical().digital_signature().non_repudiation().build()?);
        }
        Usage::Encryption => extensions.push(usage.critical().key_encipherment().build()?),
        Usage::Unsaid => {}
        Usage::Authority { below } => {
            constraints.critical().ca();
            if let Some(below) = below {
                constraints.pathlen(below);
            }
            extensions.push(usage.critical().key_cert_sign().crl_sign().build()?);
        }
    }
    if profile.usage != Usage::Unsaid {
        extensions.push(constraints.build()?);
    }
    if !profile.purposes.is_empty() {
        let mut purposes = ExtendedKeyUsage::new();
        for purpose in &profile.purposes {
            purposes.other(purpose);
        }
        extensions.push(purposes.build()?);
    }
    for extension in &profile.extensions {
        let oid = Asn1Object::from_str(&extension.oid)?;
        let value = Asn1OctetString::new_from_bytes(&extension.der)?;
        extensions.push(X509Extension::new_from_der(&oid, extension.critical, &value)?);
    }
    Ok(extensions)
}

fn number() -> Result<BigNum, ErrorStack> {
    let mut number = BigNum::new()?;
    number.rand(NUMBER_BITS, MsbOption::ONE, false)?;
    Ok(number)
}

fn time(at: SystemTime) -> Result<Asn1Time, ErrorStack> {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Asn1Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn subject(profile: &Profile) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    for Name { attribute, kind, value } in &profile.subject {
        match kind {
            Some(kind) => builder.append_entry_by_nid_with_type(*attribute, value, *kind)?,
            None => builder.append_entry_by_nid(*attribute, value)?,
        }
    }
    Ok(builder.build())
}

//! One certificate, as far as it matters who may sign with it.

use der::asn1::{BmpString, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode, Sequence, Tag, Tagged};
use dispensary::Signer;
use x509_cert::Certificate as Parsed;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

use crate::algorithm::{Digest, Key, Scheme};
use crate::flaw::Flaw;
use crate::form;

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const QC_STATEMENTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.3");

/// What may be marked critical: all that OpenSSL judges, and what is judged here.
const UNDERSTOOD: [ObjectIdentifier; 11] = [
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    QC_STATEMENTS,
    ObjectIdentifier::new_unwrap("2.5.29.17"), // subject alternative name
    BASIC_CONSTRAINTS,
    ObjectIdentifier::new_unwrap("2.5.29.30"), // name constraints
    ObjectIdentifier::new_unwrap("2.5.29.31"), // where revocation lists are
    ObjectIdentifier::new_unwrap("2.5.29.32"), // policies
    ObjectIdentifier::new_unwrap("2.5.29.33"), // policy mappings
    ObjectIdentifier::new_unwrap("2.5.29.36"), // policy constraints
    ObjectIdentifier::new_unwrap("2.5.29.54"), // inhibit any policy
];

/// The most extensions of a certificate: several times as many as any has.
const MAX_EXTENSIONS: usize = 64;

/// Purposes of machines. A key that has no other signs no documents.
const MACHINE_PURPOSES: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"), // a server
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8"), // time stamps
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9"), // answers about revocation
];

/// The purpose of a seal of a company, in Ukraine.
const SEAL_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.804.2.1.1.1.3.9");
/// `id-etsi-qcs-QcType` and, among its values, the seal (EN 319 412-5).
const QC_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.1862.1.6");
const QC_TYPE_SEAL: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.1862.1.6.2");

const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
const SURNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.4");

/// What stands before a tax id (EN 319 412-1).
const TAX_ID_PREFIX: &str = "TINUA-";

/// A certificate that has one reading only.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) parsed: Parsed,
}

/// One statement of the extension `qcStatements`.
#[derive(Sequence)]
struct QcStatement {
    id: ObjectIdentifier,
    #[asn1(optional = "true")]
    value: Option<Any>,
}

impl Certificate {
    /// Reads a certificate; none if writing it again does not give the same bytes.
    pub(crate) fn read(der: Vec<u8>) -> Option<Self> {
        let parsed = Parsed::from_der(&der).ok()?;
        (parsed.to_der().ok()? == der).then_some(Self { der, parsed })
    }

    /// Whether it is for seals of companies. What cannot be read is none, but is refused later.
    pub(crate) fn is_seal(&self) -> bool {
        let purposes = self.extension::<ExtendedKeyUsage>(EXTENDED_KEY_USAGE);
        let by_purpose = purposes.is_ok_and(|it| it.is_some_and(|it| it.0.contains(&SEAL_PURPOSE)));
        by_purpose || self.qc_types().is_ok_and(|it| it.contains(&QC_TYPE_SEAL))
    }

    fn qc_types(&self) -> Result<Vec<ObjectIdentifier>, Flaw> {
        let statements = self.extension::<Vec<QcStatement>>(QC_STATEMENTS)?.unwrap_or_default();
        let of_type = statements.into_iter().filter(|it| it.id == QC_TYPE);
        let types = of_type.filter_map(|it| it.value).map(|it| it.decode_as());
        let types: Result<Vec<Vec<_>>, _> = types.collect();
        types.map(|it| it.concat()).map_err(|_| Flaw::CertificateUnreadable)
    }

    /// Makes sure that it has accepted algorithms, and nothing in it that nobody judges.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<Key, Flaw> {
        let signed = Scheme::named(&self.parsed.signature_algorithm).and_then(|it| it.digest);
        signed.ok_or(Flaw::CertificateAlgorithm)?;
        self.check_but_signature()
    }

    /// Likewise, for a certificate that is trusted whoever signed it, and however.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn check_but_signature(&self) -> Result<Key, Flaw> {
        let key = Key::named(&self.parsed.tbs_certificate.subject_public_key_info);
        let key = key.ok_or(Flaw::CertificateAlgorithm)?;
        let extensions = self.parsed.tbs_certificate.extensions.as_deref().unwrap_or_default();
        if extensions.len() > MAX_EXTENSIONS {
            return Err(Flaw::CertificateUnreadable);
        }
        for (index, extension) in extensions.iter().enumerate() {
            let twice = extensions[..index].iter().any(|it| it.extn_id == extension.extn_id);
            if twice || form::check(extension.extn_value.as_bytes()).is_err() {
                return Err(Flaw::CertificateUnreadable);
            }
            if extension.critical && !UNDERSTOOD.contains(&extension.extn_id) {
                return Err(Flaw::CertificateExtension);
            }
        }
        self.qc_types()?;
        self.extension::<ExtendedKeyUsage>(EXTENDED_KEY_USAGE)?;
        Ok(key)
    }

    /// Makes sure that documents may be signed with it. A key whose purpose is not said has every
    /// purpose (RFC 5280, 4.2.1.3).
    ///
    /// # Errors
    ///
    /// The key has another purpose.
    pub(crate) fn check_signs_documents(&self) -> Result<(), Flaw> {
        let purposes = self.extension::<ExtendedKeyUsage>(EXTENDED_KEY_USAGE)?;
        if purposes.is_some_and(|it| it.0.iter().all(|it| MACHINE_PURPOSES.contains(it))) {
            return Err(Flaw::KeyUsage);
        }
        let Some(usage) = self.extension::<KeyUsage>(KEY_USAGE)? else { return Ok(()) };
        let signs = [KeyUsages::DigitalSignature, KeyUsages::NonRepudiation];
        if signs.into_iter().any(|it| usage.0.contains(it)) { Ok(()) } else { Err(Flaw::KeyUsage) }
    }

    /// Whether certificates may be signed with it.
    pub(crate) fn is_authority(&self) -> bool {
        let constraints = self.extension::<BasicConstraints>(BASIC_CONSTRAINTS);
        constraints.is_ok_and(|it| it.is_some_and(|it| it.ca))
    }

    /// Whether lists of revoked certificates may be signed with it.
    pub(crate) fn signs_revocations(&self) -> bool {
        match self.extension::<KeyUsage>(KEY_USAGE) {
            Ok(usage) => usage.is_none_or(|it| it.crl_sign()),
            Err(_) => false,
        }
    }

    /// Its subject key identifier, if it has one.
    pub(crate) fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        let found = self.extension::<OctetString>(SUBJECT_KEY_IDENTIFIER).ok()??;
        Some(found.into_bytes())
    }

    /// Whether a digest of it is `digest`.
    pub(crate) fn has_digest(&self, by: Digest, digest: &[u8]) -> bool {
        by.of(&self.der).is_ok_and(|it| it == digest)
    }

    /// Its holder.
    ///
    /// # Errors
    ///
    /// A name that is there twice, or cannot be read.
    pub(crate) fn holder(&self) -> Result<Signer, Flaw> {
        let serial_number = self.subject(SERIAL_NUMBER)?;
        let tax_id = serial_number.map(|it| match it.strip_prefix(TAX_ID_PREFIX) {
            Some(bare) => bare.to_owned(),
            None => it,
        });
        Ok(Signer {
            tax_id: tax_id.filter(|it| !it.is_empty()),
            surname: self.subject(SURNAME)?.filter(|it| !it.is_empty()),
        })
    }

    /// The one value of an attribute of the subject. Of two values, somebody else might read the
    /// other; of one with a NUL, only the beginning.
    fn subject(&self, attribute: ObjectIdentifier) -> Result<Option<String>, Flaw> {
        let names = &self.parsed.tbs_certificate.subject.0;
        let mut values = names
            .iter()
            .flat_map(|it| it.0.iter())
            .filter(|it| it.oid == attribute)
            .map(|it| &it.value);
        let Some(value) = values.next() else { return Ok(None) };
        let text = text(value).filter(|it| !it.contains(char::is_control));
        match (text, values.next()) {
            (Some(text), None) => Ok(Some(text)),
            (_, _) => Err(Flaw::HolderName),
        }
    }

    /// The value of an extension, if it is there.
    fn extension<'a, T: Decode<'a>>(&'a self, id: ObjectIdentifier) -> Result<Option<T>, Flaw> {
        let extensions = self.parsed.tbs_certificate.extensions.as_deref().unwrap_or_default();
        let mut found = extensions.iter().filter(|it| it.extn_id == id);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(one), None) => T::from_der(one.extn_value.as_bytes())
                .map(Some)
                .map_err(|_| Flaw::CertificateUnreadable),
            (Some(_), Some(_)) => Err(Flaw::CertificateUnreadable),
        }
    }
}

/// A string, of the kinds whose letters are known.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            String::from_utf8(value.value().to_vec()).ok()
        }
        Tag::BmpString => value.decode_as::<BmpString>().ok().map(|it| it.to_string()),
        _ => None,
    }
}

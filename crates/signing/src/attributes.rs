//! The signed attributes of a signature: RFC 5652 §11, and RFC 5035 for CAdES-BES.

use cms::signed_data::SignerInfo;
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Choice, DecodeValue, Sequence};
use x509_cert::attr::Attributes;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::algorithm::Digest;
use crate::certificate::Certificate;
use crate::container::PLAIN_DATA;
use crate::flaw::Flaw;

const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// RFC 5035. The first certificate is the signer's.
#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<CertificateName>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

/// `ESSCertIDv2`. Without a digest it means SHA-256.
#[derive(Sequence)]
struct CertificateName {
    #[asn1(optional = "true")]
    digest: Option<AlgorithmIdentifierOwned>,
    value: OctetString,
    #[asn1(optional = "true")]
    issuer_and_serial_number: Option<Any>,
}

/// Makes sure that the signed attributes are those of this document and this certificate.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn check(
    signature: &SignerInfo,
    document: &[u8],
    digest: Digest,
    certificate: &Certificate,
) -> Result<(), Flaw> {
    let attributes = signature.signed_attrs.as_ref().ok_or(Flaw::NoAttributes)?;
    let twice = |(index, oid)| attributes.iter().take(index).any(|it| it.oid == oid);
    if attributes.iter().map(|it| it.oid).enumerate().any(twice) {
        return Err(Flaw::Attributes);
    }
    if value::<ObjectIdentifier>(attributes, CONTENT_TYPE)? != Some(PLAIN_DATA) {
        return Err(Flaw::Attributes);
    }
    let signed = value::<OctetString>(attributes, MESSAGE_DIGEST)?.ok_or(Flaw::Attributes)?;
    if signed.as_bytes() != digest.of(document)? {
        return Err(Flaw::Changed);
    }
    let named = value::<SigningCertificate>(attributes, SIGNING_CERTIFICATE_V2)?;
    named.map_or(Ok(()), |it| check_certificate(&it, certificate))
}

fn check_certificate(named: &SigningCertificate, certificate: &Certificate) -> Result<(), Flaw> {
    let first = named.certificates.first().ok_or(Flaw::OtherCertificate)?;
    let digest = match &first.digest {
        None => Digest::Sha256,
        Some(algorithm) => Digest::named(algorithm).ok_or(Flaw::Algorithm)?,
    };
    if certificate.has_digest(digest, first.value.as_bytes()) {
        Ok(())
    } else {
        Err(Flaw::OtherCertificate)
    }
}

/// The one value of an attribute, if it is there.
fn value<'a, T: Choice<'a> + DecodeValue<'a>>(
    attributes: &'a Attributes,
    oid: ObjectIdentifier,
) -> Result<Option<T>, Flaw> {
    let Some(attribute) = attributes.iter().find(|it| it.oid == oid) else { return Ok(None) };
    match attribute.values.as_slice() {
        [one] => one.decode_as().map(Some).map_err(|_| Flaw::Attributes),
        _ => Err(Flaw::Attributes),
    }
}

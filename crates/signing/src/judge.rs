//! Judges a container: who signed it, or what is wrong.

use std::time::SystemTime;

use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{EncapsulatedContentInfo, SignerIdentifier, SignerInfo};
use der::asn1::SetOfVec;
use der::{Any, Encode, Tag};
use dispensary::{Opened, SignatureFault, Signer};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::stack::Stack;
use openssl::x509::X509;

use crate::algorithm::{Digest, Scheme};
use crate::attributes;
use crate::certificate::Certificate;
use crate::container::{Container, PLAIN_DATA, SIGNED_DATA, SignedData, Unreadable};
use crate::flaw::Flaw;
use crate::revocation::Revocation;
use crate::trust::Trust;

/// Opens a container, and judges its signature as of `now`.
pub(crate) fn open(bytes: &[u8], trust: &Trust, now: SystemTime) -> Opened {
    let container = match Container::read(bytes) {
        Ok(container) => container,
        Err(why) => return Opened { document: None, signature: Err(no_container(why)) },
    };
    let signature = only_signature(&container).and_then(|signature| {
        signature_of(&container, signature, trust, now).map_err(|flaw| {
            report(&flaw);
            SignatureFault::Invalid { why: flaw.to_string() }
        })
    });
    Opened { document: container.document, signature }
}

/// Tells the operator what the caller cannot mend.
fn report(flaw: &Flaw) {
    if let Flaw::Library(source) = flaw {
        tracing::error!(%source, "a signature could not be checked");
    }
    if matches!(flaw, Flaw::RevocationUnknown) {
        metrics::counter!("dispense_signature_unknown_revocations_total").increment(1);
    }
}

/// What lies in a container, whoever has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What was signed, if it is there.
    pub document: Option<Vec<u8>>,
    /// Signatures of persons.
    pub signatures: usize,
    /// Seals of companies.
    pub stamps: usize,
}

/// Says what lies in a container. Nothing is checked: no signature, no certificate.
///
/// # Errors
///
/// It is no container (rule 4a of a hand-over).
pub fn outline(container: &[u8]) -> Result<Outline, SignatureFault> {
    let container = Container::read(container).map_err(no_container)?;
    let (signatures, stamps) = container.count();
    Ok(Outline { document: container.document, signatures, stamps })
}

fn no_container(why: Unreadable) -> SignatureFault {
    SignatureFault::Count { signatures: 0, stamps: 0, why: Some(why.to_string()) }
}

/// The one signature of a person.
fn only_signature(container: &Container) -> Result<&SignerInfo, SignatureFault> {
    let (signatures, stamps) = container.count();
    match (&container.signers[..], stamps) {
        ([only], 0) => Ok(only),
        (_, _) => Err(SignatureFault::Count { signatures, stamps, why: None }),
    }
}

fn signature_of(
    container: &Container,
    signature: &SignerInfo,
    trust: &Trust,
    now: SystemTime,
) -> Result<Signer, Flaw> {
    let certificate = match container.certificates_of(signature)[..] {
        [only] => only,
        [] => return Err(Flaw::NoCertificate),
        [..] => return Err(Flaw::ManyCertificates),
    };
    if container.content_type != PLAIN_DATA {
        return Err(Flaw::ContentType);
    }
    let document = container.document.as_deref().ok_or(Flaw::Detached)?;
    let digest = Digest::named(&signature.digest_alg).ok_or(Flaw::Algorithm)?;
    let scheme = Scheme::named(&signature.signature_algorithm).ok_or(Flaw::Algorithm)?;
    let key = certificate.check()?;
    if scheme.key != key || scheme.digest.is_some_and(|it| it != digest) {
        return Err(Flaw::Algorithm);
    }
    certificate.check_signs_documents()?;
    attributes::check(signature, document, digest, certificate)?;
    let signer = X509::from_der(&certificate.der).map_err(|_| Flaw::CertificateUnreadable)?;
    check_signature(signature, document, &signer)?;
    check_trust(container, certificate, &signer, trust, now)?;
    certificate.holder()
}

/// Has OpenSSL check the signature. It is given what was read above, written anew, and nothing else:
/// one signature, one certificate.
fn check_signature(signature: &SignerInfo, document: &[u8], signer: &X509) -> Result<(), Flaw> {
    let rewritten = rewritten(signature, document).map_err(|_| Flaw::Signature)?;
    let mut container = CmsContentInfo::from_der(&rewritten).map_err(|_| Flaw::Signature)?;
    let mut candidates = Stack::new()?;
    candidates.push(signer.clone())?;
    // The chain is judged apart, where it can be said what is wrong with it.
    let options = CMSOptions::BINARY | CMSOptions::NOINTERN | CMSOptions::NO_SIGNER_CERT_VERIFY;
    let mut content = Vec::new();
    let verified = container.verify(Some(&candidates), None, None, Some(&mut content), options);
    if verified.is_ok() && content == document { Ok(()) } else { Err(Flaw::Signature) }
}

fn rewritten(signature: &SignerInfo, document: &[u8]) -> der::Result<Vec<u8>> {
    let content = Any::new(Tag::OctetString, document)?;
    let version = match signature.sid {
        SignerIdentifier::IssuerAndSerialNumber(_) => CmsVersion::V1,
        SignerIdentifier::SubjectKeyIdentifier(_) => CmsVersion::V3,
    };
    let signature = SignerInfo { version, unsigned_attrs: None, ..signature.clone() };
    let signed = SignedData {
        version,
        digest_algorithms: SetOfVec::try_from(vec![Any::encode_from(&signature.digest_alg)?])?,
        content: EncapsulatedContentInfo { econtent_type: PLAIN_DATA, econtent: Some(content) },
        certificates: None,
        revocations: None,
        signers: SetOfVec::try_from(vec![Any::encode_from(&signature)?])?,
    };
    ContentInfo { content_type: SIGNED_DATA, content: Any::encode_from(&signed)? }.to_der()
}

fn check_trust(
    container: &Container,
    certificate: &Certificate,
    signer: &X509,
    trust: &Trust,
    now: SystemTime,
) -> Result<(), Flaw> {
    let mut others = Stack::new()?;
    let rest = container.certificates.iter().filter(|it| it.der != certificate.der);
    for other in rest.filter(|it| it.check().is_ok()) {
        // What OpenSSL cannot read cannot be part of a chain.
        if let Ok(other) = X509::from_der(&other.der) {
            others.push(other)?;
        }
    }
    let chain = trust.chain(signer, &others)?;
    let Some(lists) = &trust.lists else { return Ok(()) };
    for (depth, pair) in chain.windows(2).enumerate() {
        let [certificate, issuer] = pair else { continue };
        match (lists.look_up(certificate, issuer, now)?, depth) {
            (Revocation::Not, _) => {}
            (Revocation::Revoked, 0) => return Err(Flaw::Revoked),
            (Revocation::Revoked, _) => return Err(Flaw::AuthorityRevoked),
            (Revocation::Unknown, _) => return Err(Flaw::RevocationUnknown),
        }
    }
    Ok(())
}

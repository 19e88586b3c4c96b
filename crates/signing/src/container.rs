//! A container, taken apart: RFC 5652, `SignedData`.
//!
//! Nothing here is about trust. What comes out has one reading: it is DER, and writing it again gives
//! the same bytes.

use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{EncapsulatedContentInfo, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, SetOfVec};
use der::{Any, Decode, Encode, Sequence, Tag, Tagged};

use crate::certificate::Certificate;
use crate::form::{self, FormError};

/// The most bytes of a container.
pub const MAX_CONTAINER: usize = 256 * 1024;

/// The most certificates in one: the signer's, those of the authorities above, and some to spare.
pub const MAX_CERTIFICATES: usize = 16;

pub(crate) const SIGNED_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub(crate) const PLAIN_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// Why bytes are no container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// What was sent could not be decoded, and whoever decodes it hands on nothing.
    #[error("there is nothing in it, or it is not in base64 (RFC 4648, without line breaks)")]
    Nothing,
    #[error("it is larger than {} KiB", MAX_CONTAINER / 1024)]
    TooLarge,
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("its structure is not that of signed data (CMS SignedData)")]
    NotSignedData,
    #[error("it has more than {MAX_CERTIFICATES} certificates")]
    TooManyCertificates,
}

impl From<der::Error> for Unreadable {
    fn from(_: der::Error) -> Self {
        Self::NotSignedData
    }
}

/// `SignedData` with its sets as they came. The sets of `cms` would be put in another order where two
/// elements are equally long.
#[derive(Sequence)]
pub(crate) struct SignedData {
    pub(crate) version: CmsVersion,
    pub(crate) digest_algorithms: SetOfVec<Any>,
    pub(crate) content: EncapsulatedContentInfo,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(crate) certificates: Option<SetOfVec<Any>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(crate) revocations: Option<SetOfVec<Any>>,
    pub(crate) signers: SetOfVec<Any>,
}

/// What lies in a container.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) content_type: ObjectIdentifier,
    pub(crate) document: Option<Vec<u8>>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) signers: Vec<SignerInfo>,
}

impl Container {
    /// Takes a container apart.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.is_empty() {
            return Err(Unreadable::Nothing);
        }
        if bytes.len() > MAX_CONTAINER {
            return Err(Unreadable::TooLarge);
        }
        form::check(bytes)?;
        let outer = ContentInfo::from_der(bytes)?;
        if outer.content_type != SIGNED_DATA {
            return Err(Unreadable::NotSignedData);
        }
        let signed: SignedData = outer.content.decode_as()?;
        let again = Any::encode_from(&signed)?;
        if (ContentInfo { content_type: SIGNED_DATA, content: again }).to_der()? != bytes {
            return Err(FormError::NotDer.into());
        }
        let certificates = signed.certificates.unwrap_or_default();
        if certificates.len() > MAX_CERTIFICATES {
            return Err(Unreadable::TooManyCertificates);
        }
        Ok(Self {
            content_type: signed.content.econtent_type,
            document: signed.content.econtent.as_ref().map(document).transpose()?,
            // Attribute certificates and the like are none that anybody signs with.
            certificates: certificates
                .iter()
                .map(Encode::to_der)
                .filter_map(|it| it.map(Certificate::read).transpose())
                .collect::<Result<_, _>>()?,
            signers: signed.signers.iter().map(signer).collect::<Result<_, _>>()?,
        })
    }

    /// How many signatures of persons there are, and how many seals of companies.
    pub(crate) fn count(&self) -> (usize, usize) {
        let is_seal = |signer: &&SignerInfo| {
            self.certificates_of(signer).into_iter().any(Certificate::is_seal)
        };
        let stamps = self.signers.iter().filter(is_seal).count();
        (self.signers.len() - stamps, stamps)
    }

    /// The certificates that a signature may mean.
    pub(crate) fn certificates_of(&self, signer: &SignerInfo) -> Vec<&Certificate> {
        self.certificates.iter().filter(|it| is_named(it, &signer.sid)).collect()
    }
}

fn document(content: &Any) -> Result<Vec<u8>, Unreadable> {
    if content.tag() == Tag::OctetString {
        Ok(content.value().to_vec())
    } else {
        Err(Unreadable::NotSignedData)
    }
}

fn signer(any: &Any) -> Result<SignerInfo, Unreadable> {
    let signer: SignerInfo = any.decode_as()?;
    if Any::encode_from(&signer)? == *any { Ok(signer) } else { Err(FormError::NotDer.into()) }
}

fn is_named(certificate: &Certificate, name: &SignerIdentifier) -> bool {
    match name {
        SignerIdentifier::IssuerAndSerialNumber(name) => {
            let found = &certificate.parsed.tbs_certificate;
            found.issuer == name.issuer && found.serial_number == name.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(name) => {
            certificate.subject_key_identifier().is_some_and(|it| it == name.0.as_bytes())
        }
    }
}

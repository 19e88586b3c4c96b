//! Containers: one signature, several, none; with the document and without.

use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::EncapsulatedContentInfo;
use der::asn1::SetOfVec;
use der::{Any, Decode, Encode, Tag};
use openssl::cms::{CMSOptions, CmsContentInfo};

use super::DevelopmentError;
use super::authority::Identity;
use crate::container::{PLAIN_DATA, SIGNED_DATA, SignedData};

/// `CMS_CADES` of OpenSSL 3, which its Rust crate has no name for: it adds the attribute
/// `signingCertificateV2`.
const CADES: CMSOptions = CMSOptions::from_bits_retain(0x0010_0000);

impl Identity {
    /// Signs a document, and returns the container in DER: CAdES-BES, with the document in it.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn sign(&self, document: &[u8]) -> Result<Vec<u8>, DevelopmentError> {
        self.sign_with(document, CMSOptions::empty())
    }

    /// Signs a document, and returns a container without it.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn sign_detached(&self, document: &[u8]) -> Result<Vec<u8>, DevelopmentError> {
        self.sign_with(document, CMSOptions::DETACHED)
    }

    fn sign_with(&self, document: &[u8], more: CMSOptions) -> Result<Vec<u8>, DevelopmentError> {
        let options = CMSOptions::BINARY | CMSOptions::NOSMIMECAP | CADES | more;
        let others = self.others()?;
        let container = CmsContentInfo::sign(
            Some(&self.certificate),
            Some(&self.key),
            Some(&others),
            Some(document),
            options,
        )?;
        Ok(container.to_der()?)
    }
}

/// A container with a document and the signatures of all `signers`; of none, if there are none.
///
/// # Errors
///
/// OpenSSL's, or the signatures cannot be put into one container.
pub fn signed_by_all(signers: &[&Identity], document: &[u8]) -> Result<Vec<u8>, DevelopmentError> {
    let mut all = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::new(),
        content: EncapsulatedContentInfo {
            econtent_type: PLAIN_DATA,
            econtent: Some(Any::new(Tag::OctetString, document)?),
        },
        certificates: Some(SetOfVec::new()),
        revocations: None,
        signers: SetOfVec::new(),
    };
    for signer in signers {
        let one = ContentInfo::from_der(&signer.sign(document)?)?;
        let one: SignedData = one.content.decode_as()?;
        join(&mut all.digest_algorithms, one.digest_algorithms)?;
        join(all.certificates.get_or_insert_default(), one.certificates.unwrap_or_default())?;
        join(&mut all.signers, one.signers)?;
    }
    let content = Any::encode_from(&all)?;
    Ok(ContentInfo { content_type: SIGNED_DATA, content }.to_der()?)
}

fn join(all: &mut SetOfVec<Any>, more: SetOfVec<Any>) -> Result<(), DevelopmentError> {
    for one in more.into_vec() {
        if !all.as_slice().contains(&one) {
            all.insert(one)?;
        }
    }
    Ok(())
}

//! What can be wrong with the one signature of a container.

use std::ffi::c_int;

use openssl::error::ErrorStack;
use openssl_sys as codes;

/// Why a signature does not hold, in words for whoever sent it: nothing of what the container holds
/// is repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("the document is not in the container (a detached signature)")]
    Detached,
    #[error("what was signed is not plain data")]
    ContentType,
    #[error("the certificate of the signer is not in the container, or cannot be read")]
    NoCertificate,
    #[error("several certificates in the container could be that of the signer")]
    ManyCertificates,
    #[error("the algorithm of the signature is not allowed")]
    Algorithm,
    #[error("an algorithm in the certificate of the signer, or its key, is not allowed")]
    CertificateAlgorithm,
    #[error("the certificate of the signer cannot be read")]
    CertificateUnreadable,
    #[error("the certificate of the signer has a critical extension that is not known here")]
    CertificateExtension,
    #[error("the certificate of the signer is not for signing documents")]
    KeyUsage,
    #[error(
        "the tax id or the surname in the certificate of the signer cannot be read as one value"
    )]
    HolderName,
    #[error("the signature has no signed attributes")]
    NoAttributes,
    #[error("the signed attributes of the signature are not as they must be")]
    Attributes,
    #[error("the signature names another certificate than that of the signer")]
    OtherCertificate,
    #[error("the document was changed after it was signed")]
    Changed,
    #[error("the signature was not made with the key of the signer's certificate")]
    Signature,
    #[error("the certificate of the signer has expired")]
    Expired,
    #[error("the certificate of the signer is not valid yet")]
    NotYetValid,
    #[error("the certificate of an authority above the signer has expired, or is not valid yet")]
    AuthorityNotValid,
    #[error("the certificate of the signer is not from an authority that is trusted here")]
    NotTrusted,
    #[error("a certificate was not signed by the authority that it names")]
    Forged,
    #[error("there are more authorities between the signer and a trusted one than allowed")]
    TooLong,
    #[error("the chain of certificates above the signer does not hold")]
    Chain,
    #[error("the certificate of the signer is revoked")]
    Revoked,
    #[error("the certificate of an authority above the signer is revoked")]
    AuthorityRevoked,
    #[error(
        "it cannot be known whether the certificate is revoked: there is no current list of revoked \
         certificates from an authority above the signer"
    )]
    RevocationUnknown,
    #[error("the signature could not be checked")]
    Library(#[from] ErrorStack),
}

/// The signer's own place in a chain.
const SIGNER: u32 = 0;

impl Flaw {
    /// The flaw behind a code of `X509_STORE_CTX_get_error`, and the place in the chain where it was
    /// found.
    pub(crate) fn of_chain(code: c_int, depth: u32) -> Self {
        match (code, depth) {
            (codes::X509_V_ERR_CERT_HAS_EXPIRED, SIGNER) => Self::Expired,
            (codes::X509_V_ERR_CERT_NOT_YET_VALID, SIGNER) => Self::NotYetValid,
            (codes::X509_V_ERR_CERT_HAS_EXPIRED | codes::X509_V_ERR_CERT_NOT_YET_VALID, _) => {
                Self::AuthorityNotValid
            }
            (
                codes::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
                | codes::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
                | codes::X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
                | codes::X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
                | codes::X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
                | codes::X509_V_ERR_CERT_UNTRUSTED,
                _,
            ) => Self::NotTrusted,
            (codes::X509_V_ERR_CERT_SIGNATURE_FAILURE, _) => Self::Forged,
            (codes::X509_V_ERR_CERT_CHAIN_TOO_LONG, _) => Self::TooLong,
            (_, _) => Self::Chain,
        }
    }
}

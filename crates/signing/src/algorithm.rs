//! The algorithms that are accepted, for signatures and for certificates alike.

use der::asn1::{BitString, ObjectIdentifier, UintRef};
use der::{Any, Decode, Sequence, Tag, Tagged};
use openssl::hash::MessageDigest;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MASK_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ECDSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const P_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P_521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The bits of an RSA modulus. Below it is weak; above, a check takes longer than it is worth.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The bytes of an RSA exponent: with one as long as the modulus, a check takes a thousand times as
/// long as with the usual 65537.
const MAX_RSA_EXPONENT: usize = 8;

/// A digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The digest of that name, if it is accepted.
    pub(crate) fn named(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        if !has_no_parameters(algorithm) {
            return None;
        }
        match algorithm.oid {
            SHA_256 => Some(Self::Sha256),
            SHA_384 => Some(Self::Sha384),
            SHA_512 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The digest of `bytes`.
    pub(crate) fn of(self, bytes: &[u8]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
        let digest = match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        };
        openssl::hash::hash(digest, bytes).map(|it| it.to_vec())
    }

    fn bytes(self) -> u16 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What kind of key there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa,
    Ec,
}

impl Key {
    /// The kind of a public key, if it is accepted.
    pub(crate) fn named(key: &SubjectPublicKeyInfoOwned) -> Option<Self> {
        match key.algorithm.oid {
            RSA if has_no_parameters(&key.algorithm) => {
                is_sound_rsa(&key.subject_public_key).then_some(Self::Rsa)
            }
            // A curve that is spelled out, instead of named, is whatever its author wants it to be.
            EC => {
                let curve =
                    key.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?;
                [P_256, P_384, P_521].contains(&curve).then_some(Self::Ec)
            }
            _ => None,
        }
    }
}

#[derive(Sequence)]
struct RsaKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

fn is_sound_rsa(key: &BitString) -> bool {
    let Some(key) = key.as_bytes().and_then(|it| RsaKey::from_der(it).ok()) else { return false };
    let (modulus, exponent) = (key.modulus.as_bytes(), key.exponent.as_bytes());
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let bits = |number: &[u8]| {
        let unused = number.first().map_or(0, |first| first.leading_zeros() as usize);
        number.len() * 8 - unused
    };
    RSA_BITS.contains(&bits(modulus))
        && is_odd(modulus)
        && is_odd(exponent)
        && exponent.len() <= MAX_RSA_EXPONENT
        && bits(exponent) > 1
}

/// How something was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// With which kind of key.
    pub(crate) key: Key,
    /// Over which digest, if the name of the scheme says so.
    pub(crate) digest: Option<Digest>,
}

impl Scheme {
    /// The scheme of that name, if it is accepted.
    pub(crate) fn named(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        let rsa = |digest| Some(Self { key: Key::Rsa, digest });
        let ec = |digest| Some(Self { key: Key::Ec, digest: Some(digest) });
        match algorithm.oid {
            RSA_PSS => rsa(Some(pss_digest(algorithm.parameters.as_ref()?)?)),
            _ if !has_no_parameters(algorithm) => None,
            RSA => rsa(None),
            RSA_SHA_256 => rsa(Some(Digest::Sha256)),
            RSA_SHA_384 => rsa(Some(Digest::Sha384)),
            RSA_SHA_512 => rsa(Some(Digest::Sha512)),
            ECDSA_SHA_256 => ec(Digest::Sha256),
            ECDSA_SHA_384 => ec(Digest::Sha384),
            ECDSA_SHA_512 => ec(Digest::Sha512),
            _ => None,
        }
    }
}

/// RFC 4055. What is left out means SHA-1, or a salt for it, which are not accepted.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    digest: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt_bytes: Option<u16>,
}

fn pss_digest(parameters: &Any) -> Option<Digest> {
    let parameters: PssParameters = parameters.decode_as().ok()?;
    let digest = Digest::named(&parameters.digest?)?;
    let mask = parameters.mask.filter(|it| it.oid == MASK_1)?;
    let mask_digest = Digest::named(&mask.parameters?.decode_as().ok()?)?;
    let sound = mask_digest == digest && parameters.salt_bytes? >= digest.bytes();
    sound.then_some(digest)
}

/// Both ways to write that an algorithm has no parameters are in use.
fn has_no_parameters(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.parameters.as_ref().is_none_or(|it| it.tag() == Tag::Null && it.value().is_empty())
}

//! Containers and certificates put together byte by byte: no library makes the bad ones.

use dispense_signing::development::{Authority, Identity};
use openssl::hash::{MessageDigest, hash};
use openssl::sign::Signer;
use openssl::x509::X509;

pub(crate) const PLAIN_DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub(crate) const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub(crate) const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(crate) const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
pub(crate) const SHA_1: &str = "1.3.14.3.2.26";
pub(crate) const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
pub(crate) const SHA_384: &str = "2.16.840.1.101.3.4.2.2";
pub(crate) const SHA_512: &str = "2.16.840.1.101.3.4.2.3";
pub(crate) const ECDSA_SHA_256: &str = "1.2.840.10045.4.3.2";

/// An element: tag, shortest length, value.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let mut bytes = vec![tag];
    match value.len() {
        short @ ..=0x7f => bytes.push(u8::try_from(short).unwrap()),
        long => {
            let digits = u32::try_from(long).unwrap().to_be_bytes();
            let digits: Vec<u8> = digits.into_iter().skip_while(|it| *it == 0).collect();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap());
            bytes.extend(digits);
        }
    }
    bytes.extend(value);
    bytes
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

/// A set, in order.
pub(crate) fn set(tag: u8, mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(tag, &[&parts.concat()])
}

pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(0x04, &[bytes])
}

pub(crate) fn number(value: u8) -> Vec<u8> {
    element(0x02, &[&[value]])
}

pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let oid: der::asn1::ObjectIdentifier = dotted.parse().unwrap();
    element(0x06, &[oid.as_bytes()])
}

pub(crate) fn algorithm(dotted: &str) -> Vec<u8> {
    sequence(&[&oid(dotted)])
}

pub(crate) fn attribute(name: &str, values: &[&[u8]]) -> Vec<u8> {
    let values = set(0x31, values.iter().map(|it| it.to_vec()).collect());
    sequence(&[&oid(name), &values])
}

/// A container, before it is put together.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) outer_type: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) name: Vec<u8>,
    pub(crate) digest: Vec<u8>,
    pub(crate) attributes: Option<Vec<Vec<u8>>>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) unsigned: Option<Vec<u8>>,
    pub(crate) signature: Vec<u8>,
}

impl Forged {
    /// A sound one, with ECDSA over SHA-256, not signed yet.
    pub(crate) fn by(identity: &Identity, document: &[u8]) -> Self {
        let certificate = identity.certificate.to_der().unwrap();
        let digest = hash(MessageDigest::sha256(), document).unwrap();
        Self {
            outer_type: SIGNED_DATA,
            content_type: PLAIN_DATA,
            content: Some(octets(document)),
            name: issuer_and_serial_number(&identity.certificate),
            certificates: vec![certificate],
            digest: algorithm(SHA_256),
            attributes: Some(vec![
                attribute(CONTENT_TYPE, &[&oid(PLAIN_DATA)]),
                attribute(MESSAGE_DIGEST, &[&octets(&digest)]),
            ]),
            algorithm: algorithm(ECDSA_SHA_256),
            unsigned: None,
            signature: Vec::new(),
        }
    }

    /// What is signed.
    pub(crate) fn to_be_signed(&self) -> Vec<u8> {
        set(0x31, self.attributes.clone().unwrap())
    }

    /// Signs it with the key of `identity`.
    pub(crate) fn signed(self, identity: &Identity) -> Vec<u8> {
        self.signed_over(identity, MessageDigest::sha256())
    }

    /// Likewise, over another digest.
    pub(crate) fn signed_over(mut self, identity: &Identity, digest: MessageDigest) -> Vec<u8> {
        let mut signer = Signer::new(digest, &identity.key).unwrap();
        self.signature = signer.sign_oneshot_to_vec(&self.to_be_signed()).unwrap();
        self.container()
    }

    /// Puts it together.
    pub(crate) fn container(&self) -> Vec<u8> {
        let content = self.content.as_ref().map(|it| element(0xa0, &[it]));
        let content = sequence(&[&oid(self.content_type), &content.unwrap_or_default()]);
        let attributes = self.attributes.clone().map(|it| set(0xa0, it)).unwrap_or_default();
        let signer = sequence(&[
            &number(if self.name[0] == 0x80 { 3 } else { 1 }),
            &self.name,
            &self.digest,
            &attributes,
            &self.algorithm,
            &octets(&self.signature),
            &self.unsigned.clone().unwrap_or_default(),
        ]);
        let certificates = set(0xa0, self.certificates.clone());
        let inner = sequence(&[
            &number(1),
            &element(0x31, &[&self.digest]),
            &content,
            &certificates,
            &element(0x31, &[&signer]),
        ]);
        sequence(&[&oid(self.outer_type), &element(0xa0, &[&inner])])
    }
}

pub(crate) fn issuer_and_serial_number(certificate: &X509) -> Vec<u8> {
    let issuer = certificate.issuer_name().to_der().unwrap();
    let mut serial_number = certificate.serial_number().to_bn().unwrap().to_vec();
    if serial_number[0] >= 0x80 {
        serial_number.insert(0, 0);
    }
    sequence(&[&issuer, &element(0x02, &[&serial_number])])
}

/// A list of revoked certificates, before it is signed.
pub(crate) struct ForgedList {
    pub(crate) scheme: &'static str,
    pub(crate) since: &'static str,
    pub(crate) until: Option<&'static str>,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl ForgedList {
    /// A sound one that names nobody, current until 2049.
    pub(crate) fn empty() -> Self {
        Self {
            scheme: ECDSA_SHA_256,
            since: "200101000000Z",
            until: Some("491231235959Z"),
            entries: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The list, in DER.
    pub(crate) fn signed(&self, authority: &Authority) -> Vec<u8> {
        let time = |text: &str| element(0x17, &[text.as_bytes()]);
        let entries =
            Some(sequence(&[&self.entries.concat()])).filter(|_| !self.entries.is_empty());
        let extensions = element(0xa0, &[&sequence(&[&self.extensions.concat()])]);
        let extensions = Some(extensions).filter(|_| !self.extensions.is_empty());
        let list = sequence(&[
            &number(1),
            &algorithm(self.scheme),
            &authority.certificate().subject_name().to_der().unwrap(),
            &time(self.since),
            &self.until.map(time).unwrap_or_default(),
            &entries.unwrap_or_default(),
            &extensions.unwrap_or_default(),
        ]);
        let mut signer = Signer::new(MessageDigest::sha256(), authority.key()).unwrap();
        let signature = signer.sign_oneshot_to_vec(&list).unwrap();
        sequence(&[&list, &algorithm(self.scheme), &element(0x03, &[&[0], &signature])])
    }
}

/// An extension of a list or of an entry in it.
pub(crate) fn extension(name: &str, critical: Option<u8>, der: &[u8]) -> Vec<u8> {
    let critical = critical.map(|it| element(0x01, &[&[it]])).unwrap_or_default();
    sequence(&[&oid(name), &critical, &octets(der)])
}

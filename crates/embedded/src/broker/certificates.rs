//! An authority that nobody else trusts, and a certificate for 127.0.0.1 from it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use crate::error::{Result, While, failed};

/// The authority, which clients are told to trust.
pub(crate) const AUTHORITY: &str = "ca.pem";

/// The key of a broker, and behind it its certificate and that of the authority.
pub(crate) const CHAIN: &str = "broker.pem";

/// How long they are good for.
const DAYS: u32 = 3_650;

/// Bits of a serial number, which no other certificate of the authority should have.
const SERIAL_BITS: i32 = 127;

/// Makes them, unless they are there.
pub(crate) fn make(folder: &Path) -> Result<()> {
    if folder.join(CHAIN).exists() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .when(|| format!("make the folder {}", folder.display()))?;
    let (authority, chain) = drawn().map_err(|error| {
        failed(format!("OpenSSL made no certificates: {error}"), "check its installation")
    })?;
    for (name, text) in [(AUTHORITY, authority), (CHAIN, chain)] {
        let path = folder.join(name);
        fs::write(&path, text).when(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

fn drawn() -> std::result::Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let (authority_key, broker_key) = (key()?, key()?);
    let mut begun = begin("Private authority", "Private authority", &authority_key)?;
    begun.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    begun.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
    begun.sign(&authority_key, MessageDigest::sha256())?;
    let authority = begun.build();

    let mut begun = begin("127.0.0.1", "Private authority", &broker_key)?;
    let mut names = SubjectAlternativeName::new();
    let names = names.ip("127.0.0.1").dns("localhost").build(&begun.x509v3_context(None, None))?;
    begun.append_extension(names)?;
    begun.sign(&authority_key, MessageDigest::sha256())?;

    let mut chain = broker_key.private_key_to_pem_pkcs8()?;
    chain.extend(begun.build().to_pem()?);
    chain.extend(authority.to_pem()?);
    Ok((authority.to_pem()?, chain))
}

fn key() -> std::result::Result<PKey<Private>, ErrorStack> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&curve)?)
}

fn begin(
    subject: &str,
    issuer: &str,
    key: &PKey<Private>,
) -> std::result::Result<X509Builder, ErrorStack> {
    let mut begun = X509::builder()?;
    begun.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    begun.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    for (text, is_subject) in [(subject, true), (issuer, false)] {
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_nid(Nid::COMMONNAME, text)?;
        let name = name.build();
        if is_subject {
            begun.set_subject_name(&name)?;
        } else {
            begun.set_issuer_name(&name)?;
        }
    }
    begun.set_pubkey(key)?;
    begun.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    begun.set_not_after(Asn1Time::days_from_now(DAYS)?.as_ref())?;
    Ok(begun)
}

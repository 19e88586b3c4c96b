//! Whom we trust: the anchors and the lists of revoked certificates, as they lie on the disk.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Ref, X509StoreContext};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::VerifierSettings;
use crate::certificate::Certificate;
use crate::flaw::Flaw;
use crate::revocation::{RevocationList, RevocationLists, UnusableList};

/// The most authorities between a signer and a trust anchor.
pub const MAX_AUTHORITIES: u32 = 4;

/// The most trust anchors.
const MAX_ANCHORS: usize = 1_000;

/// The most bytes of a file of trust anchors or revoked certificates. A national list has a few
/// megabytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The most lists of revoked certificates, and the most files that are looked through for them.
const MAX_LISTS: usize = 256;

/// Why trust anchors or lists of revoked certificates cannot be used; it names the file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has more bytes, files or certificates than are looked at.
    #[error("{} is larger than anything that is expected there", path.display())]
    TooLarge {
        /// Which one.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("{} has no {expected} in it", path.display())]
    Empty {
        /// Which one.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// A certificate in it is no trust anchor.
    #[error("certificate {number} in {} {why}", path.display())]
    Anchor {
        /// Which file.
        path: PathBuf,
        /// Which certificate in it, from 1.
        number: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A list of revoked certificates in it cannot be used.
    #[error("list {number} in {} {why}", path.display())]
    List {
        /// Which file.
        path: PathBuf,
        /// Which list in it, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// OpenSSL cannot take them.
    #[error("the trust anchors cannot be used")]
    Library(#[from] ErrorStack),
}

/// Whom we trust.
pub(crate) struct Trust {
    store: X509Store,
    anchors: HashSet<Vec<u8>>,
    pub(crate) lists: Option<RevocationLists>,
}

impl Trust {
    /// Reads all files.
    ///
    /// # Errors
    ///
    /// The first file with something wrong in it.
    pub(crate) fn read(settings: &VerifierSettings) -> Result<Self, LoadError> {
        let anchors = settings.trust_anchors.as_deref().map(read_anchors).transpose()?;
        let anchors = anchors.unwrap_or_default();
        let store = store(&anchors, None)?;
        let lists = settings.crls.as_deref().map(read_lists).transpose()?;
        Ok(Self { store, anchors: anchors.into_iter().collect(), lists })
    }

    /// The same authorities as of an instant that has passed. Revocations are not judged: a list says
    /// nothing about the time before it was issued, and those of that time were looked at then.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub(crate) fn as_of(&self, at: SystemTime) -> Result<Self, ErrorStack> {
        let anchors: Vec<Vec<u8>> = self.anchors.iter().cloned().collect();
        let store = store(&anchors, Some(at))?;
        Ok(Self { store, anchors: self.anchors.clone(), lists: None })
    }

    /// The chain from a signer's certificate to a trust anchor, both included.
    ///
    /// # Errors
    ///
    /// Why there is none that holds.
    pub(crate) fn chain(
        &self,
        signer: &X509,
        others: &Stack<X509>,
    ) -> Result<Vec<Certificate>, Flaw> {
        let found = X509StoreContext::new()?.init(&self.store, signer, others, |context| {
            if !context.verify_cert()? {
                return Ok(Err(Flaw::of_chain(context.error().as_raw(), context.error_depth())));
            }
            let chain = context.chain().into_iter().flatten();
            chain.map(X509Ref::to_der).collect::<Result<Vec<_>, _>>().map(Ok)
        })??;
        let mut chain = Vec::with_capacity(found.len());
        for der in found {
            let is_anchor = self.anchors.contains(&der);
            chain.push(Certificate::read(der).ok_or(Flaw::Chain)?);
            if is_anchor {
                return Ok(chain);
            }
        }
        Err(Flaw::NotTrusted)
    }
}

/// Those authorities, as of now or of an instant that has passed.
fn store(anchors: &[Vec<u8>], at: Option<SystemTime>) -> Result<X509Store, ErrorStack> {
    let mut parameters = X509VerifyParam::new()?;
    // Whoever is in the file is trusted, whether or not somebody above is. Critical extensions are
    // judged in `Certificate::check`, as algorithms are: OpenSSL does not know the `qcStatements`,
    // which are critical in many certificates of persons.
    // Policies are judged where an authority asks for them, and only then.
    parameters.set_flags(
        X509VerifyFlags::PARTIAL_CHAIN
            | X509VerifyFlags::IGNORE_CRITICAL
            | X509VerifyFlags::POLICY_CHECK,
    )?;
    parameters.set_depth(MAX_AUTHORITIES.cast_signed());
    let seconds = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|it| it.as_secs());
    if let Some(seconds) = seconds.and_then(|it| i64::try_from(it).ok()) {
        parameters.set_time(seconds);
    }
    let mut store = X509StoreBuilder::new()?;
    store.set_param(&parameters)?;
    for anchor in anchors {
        store.add_cert(X509::from_der(anchor)?)?;
    }
    Ok(store.build())
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let fault = |source| LoadError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(fault)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

fn read_anchors(path: &Path) -> Result<Vec<Vec<u8>>, LoadError> {
    let bytes = read_file(path)?;
    let mut anchors = Vec::new();
    for (index, der) in CertificateDer::pem_slice_iter(&bytes).enumerate() {
        let fault = |why| LoadError::Anchor { path: path.to_owned(), number: index + 1, why };
        let der = der.map_err(|_| fault("is not in PEM"))?.to_vec();
        let certificate = Certificate::read(der).filter(|it| X509::from_der(&it.der).is_ok());
        let certificate = certificate.ok_or_else(|| fault("cannot be read"))?;
        if !certificate.is_authority() {
            return Err(fault("is not that of an authority (basic constraints: CA)"));
        }
        if certificate.check_but_signature().is_err() {
            return Err(fault("has a key or a critical extension that is not allowed"));
        }
        if index == MAX_ANCHORS {
            return Err(LoadError::TooLarge { path: path.to_owned() });
        }
        anchors.push(certificate.der);
    }
    if anchors.is_empty() {
        return Err(LoadError::Empty { path: path.to_owned(), expected: "certificates in PEM" });
    }
    Ok(anchors)
}

fn read_lists(path: &Path) -> Result<RevocationLists, LoadError> {
    let mut lists = Vec::new();
    let files = list_files(path);
    for file in files.map_err(|source| LoadError::File { path: path.to_owned(), source })? {
        lists.append(&mut read_list_file(&file)?);
        if lists.len() > MAX_LISTS {
            return Err(LoadError::TooLarge { path: path.to_owned() });
        }
    }
    if lists.is_empty() {
        let expected = "lists of revoked certificates";
        return Err(LoadError::Empty { path: path.to_owned(), expected });
    }
    Ok(RevocationLists(lists))
}

/// The file itself, or the files of the folder; those that begin with a dot are still being written.
pub(crate) fn list_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.metadata()?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for (index, entry) in path.read_dir()?.enumerate() {
        let entry = entry?;
        if index == MAX_LISTS {
            return Err(io::Error::other(format!("it has more than {MAX_LISTS} files")));
        }
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().metadata()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn read_list_file(path: &Path) -> Result<Vec<RevocationList>, LoadError> {
    let bytes = read_file(path)?;
    let fault = |number, why: UnusableList| LoadError::List {
        path: path.to_owned(),
        number,
        why: why.to_string(),
    };
    if bytes.first() == Some(&DER_SEQUENCE) {
        let list = RevocationList::read(&bytes).map_err(|why| fault(1, why))?;
        return Ok(vec![list]);
    }
    let mut lists = Vec::new();
    for (index, der) in CertificateRevocationListDer::pem_slice_iter(&bytes).enumerate() {
        let number = index + 1;
        let der = der.map_err(|_| fault(number, UnusableList::Unreadable))?;
        lists.push(RevocationList::read(&der).map_err(|why| fault(number, why))?);
    }
    if lists.is_empty() { Err(fault(1, UnusableList::Unreadable)) } else { Ok(lists) }
}

/// With this byte begins every list in DER, and none in PEM but by mistake.
const DER_SEQUENCE: u8 = 0x30;

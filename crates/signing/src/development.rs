//! An authority that issues certificates to anybody: for development and tests only.
//!
//! Who trusts it trusts whoever can read its key. It makes what a pharmacist's own software makes: a
//! container with the document in it, and a CAdES-BES signature by a short-lived certificate.
//! [`Authority`] and [`Profile`] make the odd ones, which a verifier has to refuse.

mod authority;
mod containers;
mod profile;

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::x509::X509;
use tempfile::NamedTempFile;

pub use authority::{Authority, Identity};
pub use containers::signed_by_all;
pub use profile::{Holder, KeyKind, Profile, Usage};

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const LOCK: &str = "ca.lock";

/// Why the development authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentError {
    /// A file or folder cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Key and certificate in a folder are not one pair.
    #[error("{KEY} does not belong to {CERTIFICATE} in {}; remove both", folder.display())]
    Mismatch {
        /// Which folder.
        folder: PathBuf,
    },
    /// OpenSSL cannot do it.
    #[error("a certificate, a key or a signature cannot be made or read")]
    Library(#[from] ErrorStack),
    /// Signatures cannot be put into one container.
    #[error("the signatures cannot be put into one container")]
    Container(#[from] der::Error),
}

/// The authority of a machine where the service is tried by hand.
pub struct DevelopmentCa {
    authority: Authority,
    trust_anchors: PathBuf,
}

impl DevelopmentCa {
    /// Reads the authority in a folder, or makes one if there is none. Two processes at once get the
    /// same one. The key can be read by its owner alone.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or written, or what is in it is not a pair of key and certificate.
    pub fn load_or_create(folder: &Path) -> Result<Self, DevelopmentError> {
        let trust_anchors = folder.join(CERTIFICATE);
        let key = folder.join(KEY);
        fs::create_dir_all(folder).map_err(fault(folder))?;
        let lock = folder.join(LOCK);
        let locked = File::create(&lock).map_err(fault(&lock))?;
        locked.lock().map_err(fault(&lock))?;
        let authority = if trust_anchors.exists() && key.exists() {
            let certificate = fs::read(&trust_anchors).map_err(fault(&trust_anchors))?;
            let certificate = X509::from_pem(&certificate)?;
            let key = PKey::private_key_from_pem(&fs::read(&key).map_err(fault(&key))?)?;
            if !certificate.public_key()?.public_eq(&key) {
                return Err(DevelopmentError::Mismatch { folder: folder.to_owned() });
            }
            Authority::of(certificate, key)
        } else {
            let authority = Authority::root("Dispense Service, development only")?;
            write(&key, &authority.key_pem()?, OWNER_READS)?;
            write(&trust_anchors, &authority.certificate_pem()?, ALL_READ)?;
            authority
        };
        Ok(Self { authority, trust_anchors })
    }

    /// The PEM file with its certificate, for [`crate::VerifierSettings::trust_anchors`].
    #[must_use]
    pub fn trust_anchors_path(&self) -> &Path {
        &self.trust_anchors
    }

    /// The authority itself, for certificates that are not as they should be.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Signs a document with a fresh certificate for `holder`, and returns the container in DER.
    ///
    /// # Errors
    ///
    /// OpenSSL's.
    pub fn sign(&self, holder: &Holder, document: &[u8]) -> Result<Vec<u8>, DevelopmentError> {
        self.authority.issue(&Profile::of(holder))?.sign(document)
    }
}

const OWNER_READS: u32 = 0o600;
const ALL_READ: u32 = 0o644;

fn fault(path: &Path) -> impl Fn(io::Error) -> DevelopmentError {
    move |source| DevelopmentError::File { path: path.to_owned(), source }
}

/// Writes a file beside its place and moves it there, so that nobody ever reads half of it.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DevelopmentError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // A temporary file can be read by its owner alone from its first moment.
    let mut beside = NamedTempFile::new_in(folder).map_err(fault(path))?;
    beside.write_all(bytes).map_err(fault(path))?;
    beside.as_file().set_permissions(Permissions::from_mode(mode)).map_err(fault(path))?;
    beside.as_file().sync_all().map_err(fault(path))?;
    beside.persist(path).map_err(|it| fault(path)(it.error))?;
    Ok(())
}

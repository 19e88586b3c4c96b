//! Samples: a trusted authority, a pharmacist, a document.

use std::path::Path;

use dispensary::{SignatureFault, Signer};
use dispense_signing::development::{Authority, Holder, Identity, Profile};
use dispense_signing::{Verifier, VerifierSettings};
use tempfile::TempDir;

/// A document as it is signed.
pub(crate) const DOCUMENT: &[u8] = br#"{"id":"d4","payment_amount":12.5}"#;

/// A pharmacist.
pub(crate) fn holder() -> Holder {
    Holder {
        tax_id: "3126509816".to_owned(),
        surname: "Шевченко".to_owned(),
        given_name: "Оксана".to_owned(),
    }
}

/// What a sound certificate of hers says.
pub(crate) fn profile() -> Profile {
    Profile::of(&holder())
}

/// What the verifier says of her.
pub(crate) fn signer() -> Signer {
    let Holder { tax_id, surname, given_name: _ } = holder();
    Signer { tax_id: Some(tax_id), surname: Some(surname) }
}

/// An authority that is trusted, and whoever judges by it.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) verifier: Verifier,
    /// Holds the files that it trusts by.
    pub(crate) folder: TempDir,
}

impl World {
    /// The name of the authority.
    pub(crate) const AUTHORITY: &str = "Центральний засвідчувальний орган";

    /// The file of its list of revoked certificates.
    pub(crate) const LIST: &str = "revoked.pem";

    /// One without lists of revoked certificates.
    pub(crate) fn new() -> Self {
        Self::with(|_, _| None)
    }

    /// One with that list of revoked certificates.
    pub(crate) fn with_list(list: impl FnOnce(&Authority) -> Vec<u8>) -> Self {
        Self::with(|authority, folder| {
            let path = folder.join(Self::LIST);
            std::fs::write(&path, list(authority)).unwrap();
            Some(path)
        })
    }

    /// One with the lists that `lists` puts into its folder.
    pub(crate) fn with(
        lists: impl FnOnce(&Authority, &Path) -> Option<std::path::PathBuf>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::root(Self::AUTHORITY).unwrap();
        let trust_anchors = folder.path().join("anchors.pem");
        std::fs::write(&trust_anchors, authority.certificate_pem().unwrap()).unwrap();
        let crls = lists(&authority, folder.path());
        let verifier =
            Verifier::load(VerifierSettings { trust_anchors: Some(trust_anchors), crls }).unwrap();
        Self { authority, verifier, folder }
    }

    /// Somebody with that certificate.
    pub(crate) fn issue(&self, profile: &Profile) -> Identity {
        self.authority.issue(profile).unwrap()
    }

    /// What comes of a container.
    pub(crate) fn open(&self, container: &[u8]) -> Result<Signer, SignatureFault> {
        self.verifier.open_here(container).signature
    }

    /// Why its one signature does not hold.
    pub(crate) fn flaw(&self, container: &[u8]) -> String {
        match self.open(container) {
            Err(SignatureFault::Invalid { why }) => why,
            other => panic!("{other:?}"),
        }
    }
}

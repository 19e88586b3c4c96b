//! What counts.

use dispensary::Signatures;
use dispense_signing::development::{DevelopmentCa, KeyKind};
use dispense_signing::{Verifier, VerifierSettings};

use crate::sample::{DOCUMENT, World, holder, profile, signer};

#[tokio::test]
async fn what_the_development_authority_signs_counts() {
    let folder = tempfile::tempdir().unwrap();
    let ca = DevelopmentCa::load_or_create(folder.path()).unwrap();
    let trust_anchors = ca.trust_anchors_path().to_owned();
    let verifier = Verifier::load(VerifierSettings { trust_anchors, crls: None }).unwrap();
    let opened = verifier.open(ca.sign(&holder(), DOCUMENT).unwrap()).await.unwrap();
    assert_eq!(opened.signature, Ok(signer()));
    assert_eq!(opened.document.as_deref(), Some(DOCUMENT));
}

#[test]
fn every_accepted_kind_of_key_signs() {
    let world = World::new();
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Rsa(2048)] {
        let pharmacist = world.issue(&profile().key(kind));
        assert_eq!(world.open(&pharmacist.sign(DOCUMENT).unwrap()), Ok(signer()), "{kind:?}");
    }
}

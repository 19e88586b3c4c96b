//! Looks for a container that counts and says something that nobody has signed.

#![no_main]

use std::sync::LazyLock;

use dispense_fuzz::{DOCUMENTS, authority};
use dispense_signing::development::DevelopmentCa;
use dispense_signing::{Verifier, VerifierSettings};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let authority = DevelopmentCa::load_or_create(&authority()).expect("the seeds come first");
    let trust_anchors = Some(authority.trust_anchors_path().to_owned());
    Verifier::load(VerifierSettings { trust_anchors, crls: None }).expect("a sound authority")
});

fuzz_target!(|bytes: &[u8]| {
    let opened = VERIFIER.open_here(bytes);
    if opened.signature.is_ok() {
        let document = opened.document.expect("nobody signs nothing");
        assert!(DOCUMENTS.contains(&&document[..]), "a forgery");
    }
});

fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let broken = if seed % 4 == 0 { None } else { dispense_fuzz::broken(&bytes[..size], seed) };
    match broken.filter(|it| it.len() <= max_size) {
        Some(broken) => {
            bytes[..broken.len()].copy_from_slice(&broken);
            broken.len()
        }
        None => fuzzer_mutate(bytes, size, max_size),
    }
});

//! Whose certificates count.

use std::time::{Duration, SystemTime};

use dispensary::SignatureFault;
use dispense_signing::development::{Authority, Identity, KeyKind, Profile, Usage};
use dispense_signing::{MAX_AUTHORITIES, Verifier, VerifierSettings};
use openssl::bn::BigNum;
use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};
use openssl::x509::X509;

use crate::forge::Forged;
use crate::sample::{DOCUMENT, World, profile, signer};

const NOT_TRUSTED: &str =
    "the certificate of the signer is not from an authority that is trusted here";
const KEY: &str = "an algorithm in the certificate of the signer, or its key, is not allowed";
const CHAIN: &str = "the chain of certificates above the signer does not hold";

fn flaw(world: &World, identity: &Identity) -> String {
    world.flaw(&identity.sign(DOCUMENT).unwrap())
}

#[test]
fn a_certificate_is_valid_from_its_first_day_to_its_last() {
    let world = World::new();
    let expired = "the certificate of the signer has expired";
    assert_eq!(flaw(&world, &world.issue(&profile().expired())), expired);
    let not_yet = "the certificate of the signer is not valid yet";
    assert_eq!(flaw(&world, &world.issue(&profile().not_yet_valid())), not_yet);
}

#[test]
fn without_trust_anchors_nobody_is_trusted() {
    let World { authority, .. } = World::new();
    let settings = VerifierSettings { trust_anchors: None, crls: None };
    let container = authority.issue(&profile()).unwrap().sign(DOCUMENT).unwrap();
    let opened = Verifier::load(settings).unwrap().open_here(&container);
    let fault = SignatureFault::Invalid { why: NOT_TRUSTED.to_owned() };
    assert_eq!(opened.signature, Err(fault));
}

#[test]
fn a_stranger_is_not_trusted() {
    let world = World::new();
    let stranger = Authority::root("Чужий").unwrap();
    assert_eq!(flaw(&world, &stranger.issue(&profile()).unwrap()), NOT_TRUSTED);
    // Whether or not it sends its own authority along.
    let mut along = stranger.issue(&profile()).unwrap();
    along.chain.push(stranger.certificate().clone());
    assert_eq!(flaw(&world, &along), NOT_TRUSTED);
    // A name is no proof.
    let namesake = Authority::root(World::AUTHORITY).unwrap();
    assert_eq!(flaw(&world, &namesake.issue(&profile()).unwrap()), NOT_TRUSTED);
}

/// The same name and, by its identifier, the same key: only the signature tells.
#[test]
fn a_forged_certificate_is_not_trusted() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut forged = pharmacist.certificate.to_der().unwrap();
    let holder = b"3126509816";
    let at = forged.windows(holder.len()).position(|it| it == holder).unwrap();
    forged[at] = b'4';
    let forged = Identity { certificate: X509::from_der(&forged).unwrap(), ..pharmacist };
    let not_signed = "a certificate was not signed by the authority that it names";
    assert_eq!(flaw(&world, &forged), not_signed);
}

#[test]
fn one_cannot_vouch_for_oneself() {
    let world = World::new();
    assert_eq!(flaw(&world, &Identity::self_signed(&profile()).unwrap()), NOT_TRUSTED);
}

#[test]
fn a_person_is_no_authority() {
    let world = World::new();
    let colleague = world.issue(&profile()).into_authority();
    assert_eq!(flaw(&world, &colleague.issue(&profile()).unwrap()), CHAIN);
}

/// Old ways to say it do not count.
#[test]
fn an_authority_says_that_it_is_one() {
    let world = World::new();
    let signs_certificates = [0x03, 0x02, 0x02, 0x04];
    let authority_of_servers_and_mail = [0x03, 0x02, 0x01, 0x06];
    let unsaid = Profile::authority("КНЕДП").usage(Usage::Unsaid);
    for unsaid in [
        unsaid.clone(),
        unsaid.clone().critical_extension("2.5.29.15", &signs_certificates),
        unsaid.extension("2.16.840.1.113730.1.1", &authority_of_servers_and_mail),
    ] {
        let unsaid = world.issue(&unsaid).into_authority();
        assert_eq!(flaw(&world, &unsaid.issue(&profile()).unwrap()), CHAIN);
    }
}

/// What nobody judges in the certificate of a signer is not passed over above, either.
#[test]
fn an_authority_that_is_not_understood_is_no_authority() {
    let world = World::new();
    let between = Profile::authority("КНЕДП");
    for odd in [
        between.clone().critical_extension("1.2.3.4", &[5, 0]),
        between.clone().signed_over(MessageDigest::sha1()),
        between.clone().key(KeyKind::Rsa(1024)),
    ] {
        let odd = world.issue(&odd).into_authority();
        assert_eq!(flaw(&world, &odd.issue(&profile()).unwrap()), NOT_TRUSTED);
    }
    let sound = world.issue(&between).into_authority();
    assert_eq!(world.open(&sound.issue(&profile()).unwrap().sign(DOCUMENT).unwrap()), Ok(signer()));
}

#[test]
fn a_chain_of_ten_is_too_long() {
    let world = World::new();
    let mut authority = world.authority.clone();
    for level in 0..=MAX_AUTHORITIES {
        authority = authority.subordinate(&format!("КНЕДП {level}")).unwrap();
    }
    let too_long = "there are more authorities between the signer and a trusted one than allowed";
    assert_eq!(flaw(&world, &authority.issue(&profile()).unwrap()), too_long);
    for level in 5..10 {
        authority = authority.subordinate(&format!("КНЕДП {level}")).unwrap();
    }
    assert_eq!(flaw(&world, &authority.issue(&profile()).unwrap()), too_long);
}

#[test]
fn an_authority_between_that_is_missing_is_missed() {
    let world = World::new();
    let issuing = world.authority.subordinate("КНЕДП").unwrap();
    let mut pharmacist = issuing.issue(&profile()).unwrap();
    assert_eq!(world.open(&pharmacist.sign(DOCUMENT).unwrap()), Ok(signer()));
    pharmacist.chain.clear();
    assert_eq!(flaw(&world, &pharmacist), NOT_TRUSTED);
}

#[test]
fn an_authority_has_its_time_too() {
    let world = World::new();
    let now = SystemTime::now();
    let day = Duration::from_hours(24);
    for (since, until) in [(now - 2 * day, now - day), (now + day, now + 2 * day)] {
        let issuing = Profile::authority("КНЕДП").valid(since, until);
        let issuing = world.issue(&issuing).into_authority();
        let not_valid =
            "the certificate of an authority above the signer has expired, or is not valid yet";
        assert_eq!(flaw(&world, &issuing.issue(&profile()).unwrap()), not_valid);
    }
}

#[test]
fn an_authority_signs_with_what_is_on_the_list() {
    let world = World::new();
    let weak = profile().signed_over(MessageDigest::sha1());
    assert_eq!(flaw(&world, &world.issue(&weak)), KEY);
}

#[test]
fn weak_keys_are_refused() {
    let world = World::new();
    assert_eq!(flaw(&world, &world.issue(&profile().key(KeyKind::Rsa(1024)))), KEY);
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME192V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    assert_eq!(flaw(&world, &world.authority.issue_for(&profile(), key).unwrap()), KEY);
    let koblitz = EcGroup::from_curve_name(Nid::SECP256K1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&koblitz).unwrap()).unwrap();
    assert_eq!(flaw(&world, &world.authority.issue_for(&profile(), key).unwrap()), KEY);
}

/// A curve that is spelled out could be one with a key that everybody knows (CVE-2020-0601), or one
/// that takes for ever to read (CVE-2022-0778).
#[test]
fn a_curve_is_named_and_not_spelled_out() {
    let world = World::new();
    let mut curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    curve.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let identity = world.authority.issue_for(&profile(), key).unwrap();
    let spelled_out = identity.certificate.to_der().unwrap().len();
    let named = world.issue(&profile()).certificate.to_der().unwrap().len();
    assert!(spelled_out > named + 100, "the curve has to be spelled out");
    assert_eq!(world.flaw(&Forged::by(&identity, DOCUMENT).signed(&identity)), KEY);
}

/// A number with 160,000 bits.
static ABSURD: [u8; 20_000] = [0xff; 20_000];

/// To check a signature with such keys takes seconds.
#[test]
fn absurd_keys_are_refused() {
    let world = World::new();
    let sound = Rsa::generate(2048).unwrap();
    let absurd = |modulus: BigNum, exponent: BigNum| {
        let key = RsaPrivateKeyBuilder::new(modulus, exponent, sound.d().to_owned().unwrap());
        let key = PKey::from_rsa(key.unwrap().build()).unwrap();
        let identity = world.authority.issue_for(&profile(), key).unwrap();
        world.flaw(&Forged::by(&identity, DOCUMENT).container())
    };
    let number = |bytes: &[u8]| BigNum::from_slice(bytes).unwrap();
    let own = || sound.n().to_owned().unwrap();
    let usual = || number(&[1, 0, 1]);
    assert_eq!(absurd(number(&[0xff; 2_049]), usual()), KEY);
    assert_eq!(absurd(number(&ABSURD), usual()), KEY);
    assert_eq!(absurd(own(), number(&[0xff; 256])), KEY);
    assert_eq!(absurd(own(), number(&[1])), KEY);
    assert_eq!(absurd(own(), number(&[1, 0, 0])), KEY);
    let mut even = sound.n().to_vec();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(absurd(number(&even), usual()), KEY);
}

/// Authorities in a container are read no more than needed: one with an absurd key is passed over.
#[test]
fn absurd_authorities_are_passed_over() {
    let world = World::new();
    let mut pharmacist = world.issue(&profile());
    let key = RsaPrivateKeyBuilder::new(
        BigNum::from_slice(&ABSURD).unwrap(),
        BigNum::from_slice(&ABSURD).unwrap(),
        BigNum::from_u32(3).unwrap(),
    );
    let key = PKey::from_rsa(key.unwrap().build()).unwrap();
    let absurd = world.authority.issue_for(&profile(), key).unwrap();
    pharmacist.chain.push(absurd.certificate);
    assert_eq!(world.open(&pharmacist.sign(DOCUMENT).unwrap()), Ok(signer()));
}

#[test]
fn an_authority_that_may_not_have_others_below_it_has_none() {
    let world = World::new();
    let last = Profile::authority("КНЕДП").usage(Usage::Authority { below: Some(0) });
    let last = world.issue(&last).into_authority();
    assert_eq!(world.open(&last.issue(&profile()).unwrap().sign(DOCUMENT).unwrap()), Ok(signer()));
    let below = last.subordinate("Філія").unwrap();
    assert_eq!(flaw(&world, &below.issue(&profile()).unwrap()), CHAIN);
}

/// An authority may ask that those below it have a policy: then one without is not believed.
#[test]
fn policies_count_where_an_authority_asks_for_them() {
    // requireExplicitPolicy: 0
    let explicit = [0x30, 0x03, 0x80, 0x01, 0x00];
    let world = World::new();
    let asking = Profile::authority("КНЕДП").critical_extension("2.5.29.36", &explicit);
    let asking = world.issue(&asking).into_authority();
    assert_eq!(flaw(&world, &asking.issue(&profile()).unwrap()), CHAIN);
}

#[test]
fn a_key_for_machines_signs_no_documents() {
    let world = World::new();
    let server = profile().for_purpose("1.3.6.1.5.5.7.3.1");
    let other = "the certificate of the signer is not for signing documents";
    assert_eq!(flaw(&world, &world.issue(&server)), other);
    let also_mail = server.for_purpose("1.3.6.1.5.5.7.3.4");
    let also_mail = world.issue(&also_mail).sign(DOCUMENT).unwrap();
    assert_eq!(world.open(&also_mail), Ok(signer()));
}

#[test]
fn a_certificate_with_countless_extensions_is_not_read() {
    let world = World::new();
    let many = (1..=65).fold(profile(), |it, n| it.extension(&format!("1.2.3.{n}"), &[5, 0]));
    let unreadable = "the certificate of the signer cannot be read";
    assert_eq!(flaw(&world, &world.issue(&many)), unreadable);
}

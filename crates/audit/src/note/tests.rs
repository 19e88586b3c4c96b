use super::*;

const SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const SIGNED: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn note() -> String {
    format!("{TEXT}\n{SIGNED}")
}

fn trusted() -> [VerifierKey; 1] {
    [VerifierKey::read(PUBLIC).unwrap()]
}

fn another() -> SigningKey {
    SigningKey::of_seed("another", [9; 32]).unwrap()
}

#[test]
fn the_known_key_signs_the_known_note() {
    let key = SigningKey::read(&format!("{SECRET}\n")).unwrap();
    assert_eq!(key.verifier().to_string(), PUBLIC);
    assert_eq!(key.secret(), SECRET);
    assert_eq!(sign(TEXT, &key), note());
    assert_eq!(format!("{key:?}"), format!("SigningKey({PUBLIC})"));
}

#[test]
fn the_known_note_is_opened_by_the_known_key() {
    let note = note();
    let opened = open(note.as_bytes(), &trusted()).unwrap();
    assert_eq!(opened, Opened { text: TEXT, signed_by: vec!["PeterNeumann"] });
}

#[test]
fn signatures_of_others_are_passed_over() {
    let other = sign(TEXT, &another()).replacen(&format!("{TEXT}\n"), "", 1);
    for note in [format!("{TEXT}\n{SIGNED}{other}"), format!("{TEXT}\n{other}{SIGNED}")] {
        assert_eq!(open(note.as_bytes(), &trusted()).unwrap().signed_by, ["PeterNeumann"]);
        let both = [trusted().to_vec(), vec![another().verifier().clone()]].concat();
        assert_eq!(open(note.as_bytes(), &both).unwrap().signed_by.len(), 2);
    }
    assert_eq!(
        open(sign(TEXT, &another()).as_bytes(), &trusted()),
        Err(NotBelieved::Unknown(vec![another().verifier().to_string()[..16].to_owned()]))
    );
    assert_eq!(
        open(note().as_bytes(), &[]),
        Err(NotBelieved::Unknown(vec!["PeterNeumann+c74f20a3".to_owned()]))
    );
}

#[test]
fn a_text_may_have_empty_lines() {
    let text = "a\n\nb\n";
    let note = sign(text, &another());
    assert_eq!(open(note.as_bytes(), &[another().verifier().clone()]).unwrap().text, text);
}

#[test]
fn no_byte_of_a_note_can_be_changed() {
    let note = note().into_bytes();
    for place in 0..note.len() {
        for bit in 0..8 {
            let mut other = note.clone();
            other[place] ^= 1 << bit;
            assert!(open(&other, &trusted()).is_err(), "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn what_is_no_note_is_not_opened() {
    let signature = SIGNED.trim_end();
    let many = SIGNED.repeat(MOST_SIGNATURES + 1);
    for malformed in [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}{SIGNED}"),
        format!("{TEXT}\n{signature}"),
        format!("{TEXT}\n{SIGNED}\n"),
        format!("{TEXT}\n{SIGNED} "),
        format!("{TEXT}\n{SIGNED}more\n"),
        format!("{TEXT}\n{}", SIGNED.replace('\u{2014}', "-")),
        format!("{TEXT}\n{}", SIGNED.replace("— ", "—  ")),
        format!("{TEXT}\n{}", SIGNED.replace('=', "")),
        format!("{TEXT}\n{signature} \n"),
        format!("{TEXT}\n— PeterNeumann x08goQ==\n"),
        format!("{TEXT}\r\n{SIGNED}"),
        format!("{TEXT}\n{many}"),
        format!("{}\n{SIGNED}", "a".repeat(LONGEST)),
    ] {
        let found = open(malformed.as_bytes(), &trusted());
        assert!(matches!(found, Err(NotBelieved::Malformed(_))), "{malformed}: {found:?}");
    }
    assert!(open(b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n", &trusted()).is_err());
}

#[test]
fn a_changed_key_is_no_key() {
    for (text, wrong) in [
        ("", InvalidKey::VerifierKey),
        (SECRET, InvalidKey::VerifierKey),
        (&PUBLIC.replace("c74f", "c74e"), InvalidKey::Id),
        (&PUBLIC.replace("c74f", "C74F"), InvalidKey::Id),
        (&PUBLIC.replace("ARpc", "ARpd"), InvalidKey::Id),
        (&PUBLIC.replace("Peter", "Pater"), InvalidKey::Id),
        (&PUBLIC.replace("ARpc", "Arpc"), InvalidKey::VerifierKey),
        (&PUBLIC.replace("10TW", "10T"), InvalidKey::VerifierKey),
        (&PUBLIC.replace("PeterNeumann", ""), InvalidKey::Name),
        (&PUBLIC.replace("PeterNeumann", "Peter Neumann"), InvalidKey::Name),
    ] {
        assert_eq!(VerifierKey::read(text), Err(wrong), "{text}");
    }
    for (text, wrong) in [
        (PUBLIC, InvalidKey::SigningKey),
        (&SECRET.replace("c74f", "c74e"), InvalidKey::Id),
        (&SECRET.replace("AYEK", "AYEL"), InvalidKey::Id),
    ] {
        assert_eq!(SigningKey::read(text).unwrap_err(), wrong, "{text}");
    }
    assert_eq!(SigningKey::of_seed("a+b", [1; 32]).unwrap_err(), InvalidKey::Name);
}

//! Writes the seeds: containers as they should be, and some that should not be.

use std::fs;
use std::time::{Duration, SystemTime};

use dispense_fuzz::{DOCUMENTS, authority, corpus};
use dispense_signing::development::{
    DevelopmentCa, Holder, Identity, KeyKind, Profile, Usage, signed_by_all,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let ca = DevelopmentCa::load_or_create(&authority())?;
    let root = ca.authority();
    let now = SystemTime::now();
    let holder = Holder {
        tax_id: "3126509816".to_owned(),
        surname: "Шевченко".to_owned(),
        given_name: "Оксана".to_owned(),
    };
    let person = Profile::of(&holder).valid(now, now + Duration::from_secs(3_650 * 24 * 60 * 60));
    let issuing = root.subordinate("КНЕДП")?.subordinate("Філія")?;
    let qualified: &[u8] = b"\x30\x0a\x30\x08\x06\x06\x04\x00\x8e\x46\x01\x01";
    let signers: Vec<Identity> = [
        root.issue(&person),
        root.issue(&person.clone().key(KeyKind::P384)),
        root.issue(&person.clone().key(KeyKind::P521)),
        root.issue(&person.clone().key(KeyKind::Rsa(2048))),
        root.issue(&person.clone().seal()),
        root.issue(&person.clone().usage(Usage::Encryption)),
        root.issue(&person.clone().critical_extension("1.3.6.1.5.5.7.1.3", qualified)),
        root.issue(&Profile::of(&holder).expired()),
        issuing.issue(&person),
        Identity::self_signed(&person),
    ]
    .into_iter()
    .collect::<Result<_, _>>()?;

    let mut containers = Vec::new();
    for document in DOCUMENTS {
        for signer in &signers {
            containers.push(signer.sign(document)?);
        }
        containers.push(signers[0].sign_detached(document)?);
        containers.push(signed_by_all(&[], document)?);
        containers.push(signed_by_all(&[&signers[0], &signers[3]], document)?);
        containers.push(signed_by_all(&[&signers[0], &signers[4]], document)?);
    }
    for target in ["container", "verification"] {
        let folder = corpus(target);
        fs::create_dir_all(&folder)?;
        for (number, container) in containers.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), container)?;
        }
    }
    Ok(())
}

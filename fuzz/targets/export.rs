//! Reads what an export is made of: whatever is read has one form, and is written so again; and no note
//! opens but one that the key of the seeds has signed.

#![no_main]

use dispense_audit::checkpoint::Checkpoint;
use dispense_audit::export::LogFile;
use dispense_audit::{line, note};
use dispense_fuzz::{CHECKPOINT, checkpoint_key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = checkpoint_key();
    if let Ok(opened) = note::open(bytes, &[key.verifier().clone()]) {
        assert_eq!(opened.text, CHECKPOINT, "nothing else was ever signed");
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut again = String::new();
    if let Ok(read) = line::read(text) {
        line::write(&read, &mut again).expect("what was read can be written");
        assert_eq!(again, text);
    }
    if let Ok(read) = line::read_erasure(text) {
        again.clear();
        let written = line::write_erasure(&read.erasure(), read.hash, &mut again);
        written.expect("what was read can be written");
        assert_eq!(again, text);
    }
    if let Ok(read) = Checkpoint::read(text) {
        assert_eq!(read.text(), text);
    }
    if let Ok(read) = LogFile::read(text) {
        assert_eq!(read.text(), text);
    }
});

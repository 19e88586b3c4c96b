//! No bit of an export can be flipped, but for what the documentation says is not covered.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::sample::{Sample, key};
use super::second_check::{SCRIPT, python};
use super::{Written, check, trust};

/// Which bytes of rows are flipped, so that the test takes seconds; of all else it is every byte.
const ROWS: usize = 5;
/// Which flips the second check is asked about: it is slower.
const ASKED: usize = 7;

/// All files of an export, relative to its folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(here) = folders.pop() {
        for entry in fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

#[test]
fn no_bit_can_be_flipped() {
    let export = Written::of(&Sample::new());
    let mut asked = Vec::new();
    let mut flips = 0;
    for file in files(export.path()) {
        let path = export.path().join(&file);
        let text = fs::read(&path).unwrap();
        let every = if file.starts_with("events") { ROWS } else { 1 };
        for place in (0..text.len()).step_by(every) {
            // A later epoch is claimed by nobody but the export itself.
            if text[..place].ends_with(b"\"epoch\":") {
                continue;
            }
            let mut other = text.clone();
            // Every bit has its turn.
            let bit = place % 8;
            other[place] ^= 1 << bit;
            fs::write(&path, &other).unwrap();
            let found =
                check(export.path(), &trust()).expect_err(&format!("{file:?}, byte {place}"));
            flips += 1;
            if flips % ASKED == 0 {
                let (kind, at) = (found.kind.to_string(), found.place);
                let line = json!([file, place, bit, kind, at.partition, at.position, at.line]);
                asked.push(line.to_string());
            }
        }
        fs::write(&path, &text).unwrap();
    }
    assert!(flips > 3_000, "{flips}");
    assert_second_agrees(export.path(), &asked.join("\n"));
}

/// Flips the same bits before the second check, one after the other in one process.
const DRIVER: &str = r#"
import importlib.util, json, pathlib, sys
spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
folder, keys = pathlib.Path(sys.argv[2]), [verify.Key(sys.argv[3])]
for line in sys.stdin:
    file, place, bit, *expected = json.loads(line)
    path = folder / file
    text = path.read_bytes()
    path.write_bytes(text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :])
    found = None
    try:
        verify.Export(folder, keys, []).check()
    except verify.Broken as broken:
        found = [broken.kind] + [broken.place[name] for name in ("partition", "position", "line")]
    path.write_bytes(text)
    if found != expected:
        sys.exit(f"{line}{found}")
"#;

fn assert_second_agrees(folder: &Path, asked: &str) {
    let mut check = Command::new(python())
        .args(["-B", "-c", DRIVER, SCRIPT])
        .arg(folder)
        .arg(key().verifier().to_string())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    assert!(check.wait().unwrap().success());
}

//! What a node keeps, made once.

use std::collections::BTreeMap;
use std::fs;

use crate::broker::access::Access;
use crate::broker::layout::Files;
use crate::broker::program::Program;
use crate::broker::settings;
use crate::error::{Result, While, failed};
use crate::home::Home;
use crate::random;

/// The folder in which a node's storage is made.
const UNFINISHED: &str = "data.unfinished";

/// Reads the id that all nodes of a cluster share, or draws one.
pub(crate) fn cluster_id(home: &Home) -> Result<String> {
    let path = home.folder().join("cluster-id");
    if let Ok(id) = fs::read_to_string(&path) {
        return Ok(id.trim().to_owned());
    }
    let id = drawn_id(&random::bytes()?);
    fs::write(&path, &id).when(|| format!("write {}", path.display()))?;
    Ok(id)
}

/// Kafka wants 16 bytes in base64, which are 22 letters, the last of them with four bits of nothing.
fn drawn_id(bytes: &[u8; 21]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    bytes.iter().map(letter).chain(['A']).collect()
}

/// Makes the storage of a node next to its final folder, so that what is there is always whole.
pub(crate) fn make(
    files: &Files,
    program: &Program,
    cluster_id: &str,
    node: &BTreeMap<String, String>,
    access: &Access,
) -> Result<()> {
    if files.kept().join("meta.properties").exists() {
        return Ok(());
    }
    let unfinished = files.folder().join(UNFINISHED);
    for half in [&unfinished, &files.kept()] {
        if half.exists() {
            fs::remove_dir_all(half).when(|| format!("remove {}", half.display()))?;
        }
    }
    let mut node = node.clone();
    node.insert("log.dirs".to_owned(), UNFINISHED.to_owned());
    let told = files.folder().join("format.properties");
    fs::write(&told, settings::text(&node)).when(|| format!("write {}", told.display()))?;
    let mut command = program.tool("kafka.tools.StorageTool");
    command.current_dir(files.folder()).args(["format", "--cluster-id", cluster_id, "--config"]);
    let answer = command.arg(&told).args(access.formatting()).output();
    let answer = answer.when(|| "start Java".to_owned())?;
    if !answer.status.success() {
        let (said, cause) =
            (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
        let what = format!("Apache Kafka could not make {}", unfinished.display());
        return Err(failed(what, format!("it said: {}\n{}", said.trim(), cause.trim())));
    }
    let kept = files.kept();
    fs::rename(&unfinished, &kept).when(|| format!("make {}", kept.display()))
}

#[cfg(test)]
mod tests {
    use super::drawn_id;

    #[test]
    fn an_id_is_22_letters_that_stand_for_16_bytes() {
        assert_eq!(drawn_id(&[255; 21]), "777777777777777777777A");
        assert_eq!(drawn_id(&[0; 21]), "AAAAAAAAAAAAAAAAAAAAAA");
    }
}

//! Random bytes from the system.

use std::fs::File;
use std::io::Read;

use crate::error::{Result, While};

/// Draws so many bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .when(|| "read /dev/urandom".to_owned())?;
    Ok(bytes)
}

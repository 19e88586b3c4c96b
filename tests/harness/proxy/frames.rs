//! Frames of PostgreSQL's protocol, version 3: a letter, a length that counts itself, a body.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

/// The request for TLS, and the one for GSSAPI: in place of a version.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// The first message, which has no letter. Encryption is declined before it.
pub(super) async fn startup(client: &mut TcpStream) -> Option<Vec<u8>> {
    loop {
        let length = client.read_u32().await.ok()?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.resize(usize::try_from(length).ok()?, 0);
        client.read_exact(&mut frame[4..]).await.ok()?;
        let code = u32::from_be_bytes(frame[4..8].try_into().ok()?);
        if !ENCRYPTION.contains(&code) {
            return Some(frame);
        }
        client.write_all(b"N").await.ok()?;
    }
}

/// Whole frames of one direction, one after the other.
pub(super) struct Frames {
    from: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Frames {
    pub(super) fn of(from: OwnedReadHalf) -> Self {
        Self { from, buffer: Vec::new() }
    }

    /// The next frame; none at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = self.length().filter(|length| *length <= self.buffer.len()) {
                return Some(self.buffer.drain(..length).collect());
            }
            if self.from.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// The length of the first frame, once it is known.
    fn length(&self) -> Option<usize> {
        let bytes: [u8; 4] = self.buffer.get(1..5)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok().map(|length| length + 1)
    }
}

/// Whether a frame of the client is a COMMIT: a simple query, or the parsing of one.
pub(super) fn is_commit(frame: &[u8]) -> bool {
    let statement = match frame.first() {
        Some(b'Q') => frame.get(5..),
        Some(b'P') => frame.get(5..).and_then(|body| body.splitn(2, |byte| *byte == 0).nth(1)),
        Some(_) | None => None,
    };
    let statement = statement.and_then(|body| body.split(|byte| *byte == 0).next());
    statement.is_some_and(|statement| statement.trim_ascii().eq_ignore_ascii_case(b"COMMIT"))
}

/// Whether a frame of the server says that it is ready for the next query.
pub(super) fn is_ready(frame: &[u8]) -> bool {
    frame.first() == Some(&b'Z')
}

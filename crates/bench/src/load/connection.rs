//! A connection that is kept, and as much of HTTP/1.1 as the load needs.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer is about a kilobyte.
const ROOM: usize = 8 * 1024;

/// A connection to the service.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    output: Vec<u8>,
    input: Vec<u8>,
}

/// What the service answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, output: Vec::with_capacity(ROOM), input: Vec::with_capacity(ROOM) })
    }

    /// Sends a request that is in two parts, and reads its answer to the end.
    pub(crate) async fn exchange(&mut self, head: &[u8], tail: &[u8]) -> io::Result<Answer<'_>> {
        self.output.clear();
        self.output.extend_from_slice(head);
        self.output.extend_from_slice(tail);
        self.stream.write_all(&self.output).await?;

        self.input.clear();
        let frame = loop {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(frame) = Frame::read(&self.input)? {
                break frame;
            }
        };
        while self.input.len() < frame.end {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let body = self.input.get(frame.start..frame.end).unwrap_or_default();
        Ok(Answer { status: frame.status, body })
    }
}

/// Where the body of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    status: u16,
    start: usize,
    end: usize,
}

impl Frame {
    /// Reads the head of an answer, if it has arrived to its end.
    fn read(input: &[u8]) -> io::Result<Option<Self>> {
        let Some(end_of_head) = input.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = &input[..end_of_head];
        let status = head
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| number(rest.get(..3)?))
            .and_then(|status| u16::try_from(status).ok())
            .ok_or_else(|| io::Error::other("the answer has no status of HTTP/1.1"))?;
        let length = head.split(|&byte| byte == b'\n').find_map(content_length);
        let length = match (length, status) {
            (Some(length), _) => length,
            (None, 204 | 304) => 0,
            (None, _) => return Err(io::Error::other("the answer has no Content-Length")),
        };
        let start = end_of_head + 4;
        Ok(Some(Self { status, start, end: start + length }))
    }
}

fn content_length(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if name.eq_ignore_ascii_case(NAME) { number(value.trim_ascii()) } else { None }
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Asks for a page, on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut connection = Connection::open(address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let answer = connection.exchange(head.as_bytes(), b"").await?;
    Ok((answer.status, String::from_utf8_lossy(answer.body).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\ncontent-LENGTH:  4\r\nETag: \"1\"\r\n\r\n{..}";
        let frame = Frame::read(answer).unwrap().unwrap();
        assert_eq!(frame.status, 201);
        assert_eq!(&answer[frame.start..frame.end], b"{..}");
        assert_eq!(Frame::read(&answer[..40]).unwrap(), None);
    }

    #[test]
    fn an_answer_without_a_body_ends_with_its_head() {
        let frame = Frame::read(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert_eq!((frame.status, frame.end - frame.start), (204, 0));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        assert!(Frame::read(b"SSH-2.0\r\n\r\n").is_err());
        assert!(Frame::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}

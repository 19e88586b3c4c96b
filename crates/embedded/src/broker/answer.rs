//! Asks a broker which brokers it knows, in Kafka's own protocol.
//!
//! A port that takes connections says little: Kafka opens it before the node has been let into the
//! cluster. Only nodes that may serve are listed in this answer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long one exchange may take.
const WITHIN: Duration = Duration::from_secs(2);

/// No answer about three nodes and no topic is longer.
const LONGEST: usize = 64 << 10;

/// The request `Metadata`, version 1, about no topic, from nobody with a name.
const REQUEST: [u8; 18] = [
    0, 0, 0, 14, // length of what follows
    0, 3, 0, 1, // api key and version
    0, 0, 0, 7, // correlation id, which the answer repeats
    255, 255, // client id: null
    0, 0, 0, 0, // number of topics
];

/// The ids of the nodes that serve, as the one on this port knows them.
pub(crate) fn serving(port: u16) -> io::Result<Vec<i32>> {
    let mut stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    stream.write_all(&REQUEST)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(strange());
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    nodes(&answer).ok_or_else(strange)
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is none of Kafka's")
}

/// Reads the ids of the nodes out of an answer; each has a host, a port and perhaps a rack.
fn nodes(answer: &[u8]) -> Option<Vec<i32>> {
    let mut rest = answer;
    let _correlation = number(&mut rest)?;
    let count = number(&mut rest)?;
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(number(&mut rest)?);
        skip_text(&mut rest)?;
        let _port = number(&mut rest)?;
        skip_text(&mut rest)?;
    }
    Some(nodes)
}

fn number(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

/// Skips a text behind its length; a negative length stands for none.
fn skip_text(rest: &mut &[u8]) -> Option<()> {
    let (bytes, after) = rest.split_first_chunk()?;
    let length = usize::try_from(i16::from_be_bytes(*bytes)).unwrap_or_default();
    *rest = after.get(length..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::nodes;

    #[test]
    fn the_nodes_are_read_and_half_an_answer_is_none() {
        let mut answer = vec![0, 0, 0, 7, 0, 0, 0, 2];
        for (node, rack) in [(1, &[255, 255][..]), (3, &[0, 1, b'r'])] {
            answer.extend([0, 0, 0, node, 0, 2, b'm', b'e', 0, 0, 60, 0]);
            answer.extend(rack);
        }
        assert_eq!(nodes(&answer), Some(vec![1, 3]));
        assert_eq!(nodes(&answer[..answer.len() - 1]), None);
        assert_eq!(nodes(&[]), None);
    }
}

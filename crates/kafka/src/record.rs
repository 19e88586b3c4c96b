//! A message as it travels: key, headers and payload.
//!
//! Whoever has the event can make its records again and compare them with what was read, byte by byte.

use std::str;

use dispensary::announcement::DATA_TYPE;
use dispensary::{Announcement, LogHash, LogPosition};
use dispense_domain::Digest;
use rdkafka::Message;
use rdkafka::message::{Header, Headers, OwnedHeaders};

/// What stands before the name of an attribute, but for `traceparent`, which has a name of its own in
/// every protocol.
const ATTRIBUTE: &str = "ce_";

/// The attribute that is written as it is.
const TRACE: &str = "traceparent";

/// Where the media type of the payload stands.
const CONTENT_TYPE: &str = "content-type";

/// A message as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The medication request, as text.
    pub key: Vec<u8>,
    /// The attributes, in the order in which they are written.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The members, as JSON.
    pub payload: Vec<u8>,
}

impl From<Announcement> for Record {
    fn from(announcement: Announcement) -> Self {
        let mut headers = vec![(CONTENT_TYPE.to_owned(), DATA_TYPE.as_bytes().to_vec())];
        headers.extend(announcement.attributes().into_iter().map(|(name, value)| {
            let name = if name == TRACE { name.to_owned() } else { format!("{ATTRIBUTE}{name}") };
            (name, value.into_bytes())
        }));
        Self {
            key: announcement.key.to_string().into_bytes(),
            headers,
            payload: announcement.data.into_bytes(),
        }
    }
}

impl Record {
    /// What was read. A key or payload that is not there counts as an empty one: ours never are.
    #[must_use]
    pub fn read(message: &impl Message) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            let owned = |header: Header<'_, &[u8]>| {
                (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
            };
            headers.iter().map(owned).collect()
        });
        Self {
            key: message.key().unwrap_or_default().to_vec(),
            headers,
            payload: message.payload().unwrap_or_default().to_vec(),
        }
    }

    /// Its headers, for whoever sends it.
    #[must_use]
    pub fn owned_headers(&self) -> OwnedHeaders {
        let room = OwnedHeaders::new_with_capacity(self.headers.len());
        self.headers
            .iter()
            .fold(room, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
    }

    /// How many bytes travel, before they are packed.
    #[must_use]
    pub fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        self.key.len() + self.payload.len() + headers.sum::<usize>()
    }

    /// An attribute, if it is there once and is text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let is_it = |header: &&(String, Vec<u8>)| {
            header.0.strip_prefix(ATTRIBUTE).is_some_and(|attribute| attribute == name)
        };
        let mut found = self.headers.iter().filter(is_it);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => str::from_utf8(value).ok(),
            _ => None,
        }
    }

    /// The id of the message.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.attribute("id")
    }

    /// Which log it comes from: `/dispense/<log id>`.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.attribute("source")
    }

    /// Where its event stands in the log.
    #[must_use]
    pub fn place(&self) -> Option<LogPosition> {
        self.attribute("sequence")?.parse().ok()
    }

    /// The hash of the row of its event.
    #[must_use]
    pub fn hash(&self) -> Option<LogHash> {
        Digest::try_from(std::borrow::Cow::from(self.attribute("hash")?))
            .ok()
            .map(|digest| *digest.bytes())
    }
}

//! Whether bytes are DER, looked at before anybody makes a structure of them.
//!
//! The libraries behind this door are lenient in different places: one reads lengths without end, one
//! sorts sets anew, in time that grows with the square of their size. What comes through here has one
//! reading only, and is small enough for all of them.

/// How deep elements may lie in one another. A container with its time stamp needs 20.
const MAX_DEPTH: usize = 32;

/// How many elements a container may have. One with 16 certificates has 3,000.
const MAX_ELEMENTS: usize = 32_768;

/// How many elements a set may have. Signed attributes are five or six.
const MAX_SET: usize = 64;

/// Why bytes are no DER that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    /// An element ends before its length.
    #[error("it ends too early")]
    Cut,
    /// Something follows after the last element.
    #[error("something follows after its end")]
    Trailing,
    /// A length is indefinite, or longer than it needs to be; or a string lies in pieces.
    #[error("it is not in DER (Distinguished Encoding Rules)")]
    NotDer,
    /// A set is not in order, or has the same element twice.
    #[error("it is not in DER (Distinguished Encoding Rules): a set is not in order")]
    Unordered,
    /// More than [`MAX_DEPTH`], [`MAX_ELEMENTS`] or [`MAX_SET`].
    #[error("it has more parts than any container needs")]
    TooMuch,
}

/// One element and what follows it.
struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    value: &'a [u8],
    rest: &'a [u8],
}

const CONSTRUCTED: u8 = 0b0010_0000;
const CLASS: u8 = 0b1100_0000;
const UNIVERSAL: u8 = 0;
const CONTEXT_SPECIFIC: u8 = 0b1000_0000;
const LONG_TAG: u8 = 0b0001_1111;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

impl<'a> Element<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, FormError> {
        let (&tag, after_tag) = bytes.split_first().ok_or(FormError::Cut)?;
        if !occurs(tag) {
            return Err(FormError::NotDer);
        }
        let (&first, after_first) = after_tag.split_first().ok_or(FormError::Cut)?;
        let (length, after_length) = match first {
            0..=0x7f => (usize::from(first), after_first),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let (digits, after) = after_first.split_at_checked(count).ok_or(FormError::Cut)?;
                let length = digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit));
                // The shortest form is the only one.
                if digits.first() == Some(&0) || length < 0x80 {
                    return Err(FormError::NotDer);
                }
                (length, after)
            }
            _ => return Err(FormError::NotDer),
        };
        let (value, rest) = after_length.split_at_checked(length).ok_or(FormError::Cut)?;
        let whole = &bytes[..bytes.len() - rest.len()];
        Ok(Self { tag, whole, value, rest })
    }

    /// Whether elements lie in it.
    fn is_constructed(&self) -> bool {
        self.tag & CONSTRUCTED != 0
    }

    /// Whether it may have been declared as a set, whatever its tag says.
    fn may_be_set(&self) -> bool {
        self.tag == SET || self.tag & CLASS == CONTEXT_SPECIFIC
    }
}

/// Whether DER has such a tag, in anything that lies in a container: strings do not lie in pieces, and
/// no tag needs more than a byte.
fn occurs(tag: u8) -> bool {
    let is_long = tag & LONG_TAG == LONG_TAG;
    let of_many = matches!(tag | CONSTRUCTED, SEQUENCE | SET);
    match tag & CLASS {
        UNIVERSAL => !is_long && tag != 0 && of_many == (tag & CONSTRUCTED != 0),
        class => !is_long && class == CONTEXT_SPECIFIC,
    }
}

/// Makes sure that `bytes` are one element of DER with nothing behind it, all that lies in it
/// included.
///
/// # Errors
///
/// The first thing that is not DER, or that is more than any container needs.
pub(crate) fn check(bytes: &[u8]) -> Result<(), FormError> {
    let outermost = Element::read(bytes)?;
    if !outermost.rest.is_empty() {
        return Err(FormError::Trailing);
    }
    let mut elements = 1;
    let mut open = Vec::with_capacity(MAX_DEPTH);
    if outermost.is_constructed() {
        check_set(&outermost)?;
        open.push(outermost.value);
    }
    while let Some(remaining) = open.pop() {
        if remaining.is_empty() {
            continue;
        }
        let element = Element::read(remaining)?;
        elements += 1;
        open.push(element.rest);
        if element.is_constructed() {
            check_set(&element)?;
            open.push(element.value);
        }
        if elements > MAX_ELEMENTS || open.len() > MAX_DEPTH {
            return Err(FormError::TooMuch);
        }
    }
    Ok(())
}

/// Sets are small and, where their tag says what they are, in order.
fn check_set(set: &Element) -> Result<(), FormError> {
    if !set.may_be_set() {
        return Ok(());
    }
    let mut remaining = set.value;
    let mut count = 0;
    let mut before: Option<&[u8]> = None;
    while !remaining.is_empty() {
        let element = Element::read(remaining)?;
        count += 1;
        if count > MAX_SET {
            return Err(FormError::TooMuch);
        }
        if set.tag == SET && before.is_some_and(|before| before >= element.whole) {
            return Err(FormError::Unordered);
        }
        before = Some(element.whole);
        remaining = element.rest;
    }
    Ok(())
}

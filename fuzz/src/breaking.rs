//! Breaks containers where it is interesting: an element is changed, doubled, dropped, moved or
//! wrapped, and all lengths above it are mended. A change of bytes alone rarely gets past the first
//! length.

use crate::Dice;

/// How deep elements are taken apart.
const MAX_DEPTH: usize = 24;

/// One element, or bytes that are none.
#[derive(Clone)]
enum Piece {
    Raw(Vec<u8>),
    Primitive(u8, Vec<u8>),
    Constructed(u8, Vec<Piece>),
}

const CONSTRUCTED: u8 = 0x20;
const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;

/// The same container, broken in one or two places; none if there is nothing to break.
#[must_use]
pub fn broken(bytes: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let mut pieces = taken_apart(bytes, 0);
    let count: usize = pieces.iter().map(Piece::count).sum();
    if count < 2 {
        return None;
    }
    for _ in 0..=dice.below(2) {
        let from = dice.below(count);
        let donor = pieces.iter().scan(from, |left, piece| Some(piece.nth(left))).flatten().next();
        let donor = donor.cloned().unwrap_or(Piece::Raw(vec![5, 0]));
        let mut at = dice.below(count);
        break_at(&mut pieces, &mut at, &donor, &mut dice);
    }
    let in_order = dice.below(8) != 0;
    Some(pieces.iter().flat_map(|it| it.written(in_order)).collect())
}

fn taken_apart(mut bytes: &[u8], depth: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let Some((tag, value, rest)) = element(bytes) else {
            pieces.push(Piece::Raw(bytes.to_vec()));
            break;
        };
        let inside = depth < MAX_DEPTH && (tag & CONSTRUCTED != 0 || is_wrapped(tag, value));
        pieces.push(if inside {
            Piece::Constructed(tag, taken_apart(value, depth + 1))
        } else {
            Piece::Primitive(tag, value.to_vec())
        });
        bytes = rest;
    }
    pieces
}

/// Extensions of certificates lie in octet strings.
fn is_wrapped(tag: u8, value: &[u8]) -> bool {
    tag == OCTET_STRING && element(value).is_some_and(|(_, _, rest)| rest.is_empty())
}

fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, &it| sum << 8 | usize::from(it)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

impl Piece {
    fn count(&self) -> usize {
        match self {
            Self::Raw(_) | Self::Primitive(_, _) => 1,
            Self::Constructed(_, inside) => 1 + inside.iter().map(Self::count).sum::<usize>(),
        }
    }

    /// The piece with that number, which is counted down.
    fn nth(&self, left: &mut usize) -> Option<&Self> {
        if *left == 0 {
            return Some(self);
        }
        *left -= 1;
        match self {
            Self::Raw(_) | Self::Primitive(_, _) => None,
            Self::Constructed(_, inside) => inside.iter().find_map(|it| it.nth(left)),
        }
    }

    fn written(&self, in_order: bool) -> Vec<u8> {
        let (tag, value) = match self {
            Self::Raw(bytes) => return bytes.clone(),
            Self::Primitive(tag, value) => (*tag, value.clone()),
            Self::Constructed(tag, inside) => {
                let mut inside: Vec<_> = inside.iter().map(|it| it.written(in_order)).collect();
                if *tag == SET && in_order {
                    inside.sort();
                }
                (*tag, inside.concat())
            }
        };
        let length = value.len().to_be_bytes();
        let digits = &length[length.iter().take_while(|it| **it == 0).count()..];
        let mut bytes = vec![tag];
        match (value.len(), u8::try_from(digits.len())) {
            (..=0x7f, _) => bytes.push(digits.first().copied().unwrap_or(0)),
            (_, Ok(count)) => {
                bytes.push(0x80 | count);
                bytes.extend(digits);
            }
            (_, Err(_)) => {}
        }
        bytes.extend(value);
        bytes
    }
}

/// Breaks the piece with the number `at`, which is counted down; says whether it was found.
fn break_at(pieces: &mut Vec<Piece>, at: &mut usize, donor: &Piece, dice: &mut Dice) -> bool {
    for index in 0..pieces.len() {
        if *at == 0 {
            break_one(pieces, index, donor, dice);
            return true;
        }
        *at -= 1;
        if let Piece::Constructed(_, inside) = &mut pieces[index]
            && break_at(inside, at, donor, dice)
        {
            return true;
        }
    }
    false
}

fn break_one(pieces: &mut Vec<Piece>, index: usize, donor: &Piece, dice: &mut Dice) {
    match dice.below(9) {
        0 => drop(pieces.remove(index)),
        1 => pieces.insert(index, pieces[index].clone()),
        2 => pieces.insert(index, donor.clone()),
        3 => pieces[index] = donor.clone(),
        4 => pieces[index] = Piece::Constructed(0x30, vec![pieces[index].clone()]),
        5 => pieces[index] = Piece::Raw(vec![dice.byte(), dice.byte(), dice.byte()]),
        6 => {
            let other = dice.below(pieces.len());
            pieces.swap(index, other);
        }
        7 => match &mut pieces[index] {
            Piece::Raw(_) => {}
            Piece::Primitive(tag, _) | Piece::Constructed(tag, _) => *tag = dice.byte(),
        },
        _ => match &mut pieces[index] {
            Piece::Constructed(_, inside) => inside.clear(),
            Piece::Raw(value) | Piece::Primitive(_, value) => {
                if value.is_empty() {
                    value.push(dice.byte());
                }
                let at = dice.below(value.len());
                match dice.below(3) {
                    0 => value[at] = dice.byte(),
                    1 => value.truncate(at),
                    _ => value.insert(at, dice.byte()),
                }
            }
        },
    }
}

//! Bytes of DER, and of what is almost DER.

/// An element: tag, shortest length, value.
pub(super) fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let header = match value.len() {
        0..=0x7f => vec![tag, length[3]],
        _ => [vec![tag, 0x80 | u8::try_from(digits.len()).unwrap()], digits].concat(),
    };
    [&header, value].concat()
}

/// The same element with a length that is not said, and two zeros at its end.
pub(super) fn without_length(element: &[u8]) -> Vec<u8> {
    let of_length = if element[1] < 0x80 { 0 } else { usize::from(element[1] & 0x7f) };
    [&element[..1], &[0x80], &element[2 + of_length..], &[0, 0]].concat()
}

/// Sequences in each other, until they are so long.
pub(super) fn nested(length: usize) -> Vec<u8> {
    let mut nested = Vec::new();
    while nested.len() < length {
        nested = element(0x30, &nested);
    }
    nested
}

/// The same bytes with one part in place of another, wherever it is; there has to be one.
pub(super) fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len(), "or the lengths around them would be wrong");
    let mut replaced = bytes.to_vec();
    let places: Vec<usize> =
        (0..=bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old)).collect();
    assert!(!places.is_empty(), "there is no {old:x?}");
    for at in places {
        replaced[at..at + new.len()].copy_from_slice(new);
    }
    replaced
}

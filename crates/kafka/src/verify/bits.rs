//! Positions that were met, a bit for each: a log of a hundred million events needs 12 MB for a topic.

/// A set of positions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bits(Vec<u64>);

/// Bits in a word.
const WORD: u64 = 64;

impl Bits {
    /// Adds a position; false if it was there before. Its size is that of the largest one.
    pub(crate) fn add(&mut self, position: u64) -> bool {
        let (word, bit) = place(position);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Whether a position is there.
    pub(crate) fn has(&self, position: u64) -> bool {
        let (word, bit) = place(position);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The largest position; 0 if there is none.
    pub(crate) fn largest(&self) -> u64 {
        let last = self.0.iter().rposition(|word| *word != 0);
        last.and_then(|number| Some((number, self.0.get(number)?))).map_or(0, |(number, word)| {
            let before = u64::try_from(number).unwrap_or_default() * WORD;
            before + (WORD - 1 - u64::from(word.leading_zeros()))
        })
    }
}

fn place(position: u64) -> (usize, u64) {
    // What a machine cannot address is no position: whoever asks has bounds.
    (usize::try_from(position / WORD).unwrap_or(usize::MAX - 1), 1 << (position % WORD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_there_once_it_was_added() {
        let mut bits = Bits::default();
        assert_eq!(bits.largest(), 0);
        for position in [1, 63, 64, 65, 1_000_000] {
            assert!(!bits.has(position));
            assert!(bits.add(position), "{position}");
            assert!(!bits.add(position), "{position}");
            assert!(bits.has(position) && !bits.has(position + 2));
            assert_eq!(bits.largest(), position);
        }
    }
}

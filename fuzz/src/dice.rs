//! Chance that can be had again.

/// Small numbers that look random, and are the same for the same seed.
pub(crate) struct Dice(u32);

impl Dice {
    pub(crate) const fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // Xorshift, which never leaves 0.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % limit.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte, ..] = self.below(256).to_le_bytes();
        byte
    }
}

//! Where every id and every choice comes from.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// The name space of all demo registries, drawn once.
const ROOT: Uuid = Uuid::from_u128(0x6f1b_3c0e_91d4_4f57_a2c8_5b7e_0d93_4a16);

/// A number from which a whole registry follows.
///
/// Each thing draws from a stream of its own, so the hundred-thousandth medication request can be
/// made without making those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed {
    number: u64,
    namespace: Uuid,
}

impl Seed {
    pub(crate) fn new(number: u64) -> Self {
        Self { number, namespace: Uuid::new_v5(&ROOT, &number.to_be_bytes()) }
    }

    /// The id of the `n`-th thing of this name.
    pub(crate) fn id(&self, name: &str, n: u32) -> Uuid {
        Uuid::new_v5(&self.namespace, format!("{name}/{n}").as_bytes())
    }

    /// The choices of the `n`-th thing of this name.
    pub(crate) fn draw(&self, name: &str, n: u32) -> Draw {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..12].copy_from_slice(&n.to_le_bytes());
        for (byte, letter) in bytes[12..].iter_mut().zip(name.bytes()) {
            *byte = letter;
        }
        Draw(ChaCha8Rng::from_seed(bytes))
    }

    /// A number below `below` that the whole registry shares.
    pub(crate) fn offset(&self, name: &str, below: u64) -> u64 {
        self.draw(name, u32::MAX).0.next_u64() % below
    }
}

/// A stream of choices.
///
/// The arithmetic is our own, because the ranges of `rand` may come out differently in its next
/// version, and a seed has to mean the same registry then.
#[derive(Debug, Clone)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// A number from 0 to `n` - 1.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n.max(1)
    }

    /// A number from `first` to `last`.
    pub(crate) fn between(&mut self, first: u32, last: u32) -> u32 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `items`, each as likely as the others.
    pub(crate) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items[self.below(count) as usize]
    }
}

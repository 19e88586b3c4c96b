//! Orders that are written out and wait to be sent.

use std::cell::RefCell;
use std::collections::VecDeque;

/// An order that only has to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// Which of the [`Belt`]'s heads it begins with.
    pub(crate) desk: usize,
    /// The rest of the request.
    pub(crate) tail: Vec<u8>,
    /// Whether it has to be refused.
    pub(crate) is_wrong: bool,
}

/// Orders in line, written out before the time is taken.
#[derive(Debug, Default)]
pub(crate) struct Belt {
    heads: Vec<Vec<u8>>,
    waiting: RefCell<VecDeque<Letter>>,
}

impl Belt {
    pub(crate) fn new(heads: Vec<Vec<u8>>) -> Self {
        Self { heads, waiting: RefCell::default() }
    }

    pub(crate) fn push(&self, letter: Letter) {
        self.waiting.borrow_mut().push_back(letter);
    }

    /// The next order, if there is one.
    pub(crate) fn take(&self) -> Option<Letter> {
        self.waiting.borrow_mut().pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// What an order begins with.
    pub(crate) fn head(&self, letter: &Letter) -> &[u8] {
        self.heads.get(letter.desk).map_or(&[], Vec::as_slice)
    }
}

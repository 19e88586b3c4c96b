//! Lines out of a stream of bytes, none of them longer than is held in memory.

/// The longest line of registry data, without its end.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// Cuts a stream into lines that end in `\n` or `\r\n`. Blank lines are no lines, but count.
#[derive(Debug, Default)]
pub(super) struct Lines {
    number: u64,
    begun: Vec<u8>,
    too_long: bool,
}

/// What stood on a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Its number, from 1, and its bytes.
    Line(u64, Vec<u8>),
    /// The number of a line that was longer than [`MAX_LINE_BYTES`]; its bytes were let go.
    TooLong(u64),
}

impl Lines {
    /// The next whole line of `piece`, which is moved on; `None` if there is only the beginning of
    /// one, which is kept.
    pub(super) fn next(&mut self, piece: &mut &[u8]) -> Option<Cut> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            *piece = &rest[1..];
            self.keep(line);
            if let Some(cut) = self.end() {
                return Some(cut);
            }
        }
        self.keep(piece);
        *piece = &[];
        None
    }

    /// The line that the stream ended in, if it did not end in a line's end.
    pub(super) fn end(&mut self) -> Option<Cut> {
        self.number += 1;
        let mut line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.too_long) {
            return Some(Cut::TooLong(self.number));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > MAX_LINE_BYTES {
            return Some(Cut::TooLong(self.number));
        }
        let blank = line.iter().all(u8::is_ascii_whitespace);
        (!blank).then_some(Cut::Line(self.number, line))
    }

    /// Keeps a part of a line, as long as the line can still be one. The `\r` of its end may stand
    /// beyond the limit.
    fn keep(&mut self, part: &[u8]) {
        if self.begun.len() + part.len() > MAX_LINE_BYTES + 1 {
            self.too_long = true;
            self.begun = Vec::new();
        }
        if !self.too_long {
            self.begun.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text that comes in pieces of that size.
    fn cut(text: &[u8], size: usize) -> Vec<Cut> {
        let mut lines = Lines::default();
        let mut cuts = Vec::new();
        for mut piece in text.chunks(size) {
            while let Some(cut) = lines.next(&mut piece) {
                cuts.push(cut);
            }
            assert!(lines.begun.len() <= MAX_LINE_BYTES + 1);
        }
        cuts.extend(lines.end());
        cuts
    }

    fn line(number: u64, text: &str) -> Cut {
        Cut::Line(number, text.as_bytes().to_vec())
    }

    #[test]
    fn a_line_ends_as_the_system_of_its_author_has_it() {
        let expected = [line(1, "one"), line(2, "two"), line(5, "five")];
        for size in 1..20 {
            assert_eq!(cut(b"one\ntwo\r\n\n \r\nfive", size), expected, "pieces of {size}");
        }
        assert_eq!(cut(b"", 1), []);
        assert_eq!(cut(b"one\n", 1), [line(1, "one")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_held() {
        let longest = "x".repeat(MAX_LINE_BYTES);
        let text = format!("{longest}\r\n{longest}y\nz\n{longest}{longest}");
        let expected = [line(1, &longest), Cut::TooLong(2), line(3, "z"), Cut::TooLong(4)];
        for size in [1000, 4096, MAX_LINE_BYTES, 10 * MAX_LINE_BYTES] {
            assert_eq!(cut(text.as_bytes(), size), expected, "pieces of {size}");
        }
    }
}

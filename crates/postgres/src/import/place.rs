//! Where in a JSON text something stands.

/// The deepest nesting that is looked at, that of the line itself included.
pub(super) const DEEPEST: usize = 32;

/// Whether a JSON text nests deeper than [`DEEPEST`]. What is no JSON may be called either.
pub(super) fn is_too_deep(json: &str) -> bool {
    let mut walk = Walk::default();
    json.bytes().enumerate().any(|(at, byte)| {
        walk.step(json, at, byte);
        walk.levels.len() > DEEPEST
    })
}

/// The path of the member that ends at, or contains, the byte before `offset`, such as
/// `.ingredients[0].dosage`. If that byte closes an object or list, its last member is meant.
pub(super) fn path(json: &str, offset: usize) -> String {
    let mut walk = Walk::default();
    let last = offset.saturating_sub(1);
    for (at, byte) in json.bytes().enumerate().take(offset) {
        if at < last || !matches!(byte, b'}' | b']') {
            walk.step(json, at, byte);
        }
    }
    walk.levels.iter().map(Level::to_string).collect()
}

/// As [`path`], for what is missing: the object that should have it.
pub(super) fn path_of_object(json: &str, offset: usize) -> String {
    let path = path(json, offset);
    path.rfind('.').map_or_else(String::new, |end| path[..end].to_owned())
}

/// One container that is open.
#[derive(Debug)]
enum Level<'a> {
    /// An object, and its member of which we are in.
    Object { member: Option<&'a str>, wants_name: bool },
    /// A list, and the place in it.
    List(usize),
}

impl std::fmt::Display for Level<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object { member: Some(member), .. } => write!(f, ".{member:.64}"),
            Self::Object { member: None, .. } => Ok(()),
            Self::List(place) => write!(f, "[{place}]"),
        }
    }
}

/// What has been walked over.
#[derive(Debug, Default)]
struct Walk<'a> {
    levels: Vec<Level<'a>>,
    /// Where the string began that we are in.
    string: Option<usize>,
    escaped: bool,
}

impl<'a> Walk<'a> {
    fn step(&mut self, json: &'a str, at: usize, byte: u8) {
        if let Some(began) = self.string {
            self.step_in_string(json, began, at, byte);
            return;
        }
        match byte {
            b'"' => self.string = Some(at + 1),
            b'{' => self.levels.push(Level::Object { member: None, wants_name: true }),
            b'[' => self.levels.push(Level::List(0)),
            b'}' | b']' => {
                self.levels.pop();
            }
            b',' => match self.levels.last_mut() {
                Some(Level::Object { wants_name, .. }) => *wants_name = true,
                Some(Level::List(place)) => *place += 1,
                None => {}
            },
            _ => {}
        }
    }

    fn step_in_string(&mut self, json: &'a str, began: usize, at: usize, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.string = None;
            if let Some(Level::Object { member, wants_name }) = self.levels.last_mut()
                && std::mem::take(wants_name)
            {
                *member = json.get(began..at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_leads_to_the_member_that_ends_there() {
        let json = r#"{"a":1,"b":{"c":[{"d":"x,\"{"},{"e":2}]},"f":3}"#;
        let after = |part: &str| json.find(part).unwrap() + part.len();
        assert_eq!(path(json, after(r#""a":1"#)), ".a");
        assert_eq!(path(json, after(r#""x,\"{""#)), ".b.c[0].d");
        assert_eq!(path(json, after(r#""e":2"#)), ".b.c[1].e");
        assert_eq!(path(json, after(r#""e":2}"#)), ".b.c[1].e");
        assert_eq!(path(json, json.len()), ".f");
        assert_eq!(path_of_object(json, after(r#""e":2}"#)), ".b.c[1]");
        assert_eq!(path_of_object(json, json.len()), "");
    }

    #[test]
    fn depth_counts_what_is_open_at_once_and_not_what_is_quoted() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(!is_too_deep(&nested(DEEPEST)));
        assert!(is_too_deep(&nested(DEEPEST + 1)));
        assert!(!is_too_deep(&format!("[{}]", vec!["[]"; 40].join(","))));
        assert!(!is_too_deep(&format!("\"{}\"", "[".repeat(40))));
    }
}

//! The members of an object: each is asked for by name, and every violation is written down with its
//! path.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

use dispense_domain::Stated;

use super::{Fault, Json, clipped};
use crate::problem::{Problem, Violation};

/// The most violations of one body that are listed.
const MOST_LISTED: usize = 100;

/// The members of an object, as far as they were asked for.
pub(crate) struct Members<'w, 'b> {
    found: Vec<Member<'b>>,
    path: Path<'w>,
    violations: &'w RefCell<Vec<Violation>>,
}

struct Member<'b> {
    name: Cow<'b, str>,
    value: Json<'b>,
    asked_for: bool,
}

/// An element of a list.
pub(crate) struct Element<'w, 'b> {
    value: Json<'b>,
    path: Path<'w>,
    violations: &'w RefCell<Vec<Violation>>,
}

/// Where a value stands; put into words only if it is to blame.
#[derive(Clone, Copy)]
enum Path<'w> {
    Root(&'w str),
    Member(&'w Path<'w>, &'w str),
    Item(&'w Path<'w>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => f.write_str(root),
            Self::Member(of, name) => write!(f, "{of}.{name}"),
            Self::Item(of, index) => write!(f, "{of}.[{index}]"),
        }
    }
}

impl<'b> Json<'b> {
    /// What `read` makes of the object that a body is, if there is nothing to blame in it. Paths
    /// begin with `root`.
    ///
    /// # Errors
    ///
    /// `schema`: every violation, in the order in which `read` asks for members, then unknown ones.
    pub(crate) fn walk<T>(
        self,
        root: &str,
        read: impl FnOnce(&mut Members<'_, 'b>) -> Option<T>,
    ) -> Result<T, Problem> {
        let violations = RefCell::default();
        let value = object(self, Path::Root(root), &violations, read);
        match (value, violations.into_inner()) {
            (Some(value), violations) if violations.is_empty() => Ok(value),
            (_, violations) => Err(Problem::schema(violations)),
        }
    }
}

fn object<'b, T>(
    json: Json<'b>,
    path: Path<'_>,
    violations: &RefCell<Vec<Violation>>,
    read: impl FnOnce(&mut Members<'_, 'b>) -> Option<T>,
) -> Option<T> {
    let Some(found) = json.members() else {
        let fault = match json.type_name() {
            "object" => Fault::format("expected the names of members to be Unicode text"),
            other => Fault::cast("object", other),
        };
        blame(violations, path, fault);
        return None;
    };
    let found =
        found.into_iter().map(|(name, value)| Member { name, value, asked_for: false }).collect();
    let mut members = Members { found, path, violations };
    let value = read(&mut members);
    members.refuse_unknown();
    value
}

fn blame(violations: &RefCell<Vec<Violation>>, path: Path<'_>, fault: Fault) {
    let mut violations = violations.borrow_mut();
    if violations.len() < MOST_LISTED {
        violations.push(Violation::schema(path.to_string(), fault));
    }
}

impl<'b> Element<'_, 'b> {
    /// Whether it is an object.
    pub(crate) fn is_object(&self) -> bool {
        self.value.type_name() == "object"
    }

    /// What `read` makes of it.
    pub(crate) fn value<T>(self, read: impl FnOnce(Json<'b>) -> Result<T, Fault>) -> Option<T> {
        match read(self.value) {
            Ok(value) => Some(value),
            Err(fault) => {
                blame(self.violations, self.path, fault);
                None
            }
        }
    }

    /// What `read` makes of its members.
    pub(crate) fn object<T>(
        self,
        read: impl FnOnce(&mut Members<'_, 'b>) -> Option<T>,
    ) -> Option<T> {
        object(self.value, self.path, self.violations, read)
    }
}

impl<'b> Members<'_, 'b> {
    /// A member that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
    ) -> Option<T> {
        match self.take(name) {
            None => self.blame(name, Fault::required(name)),
            Some(value) => self.read(name, value, read),
        }
    }

    /// A member that may be left out, or null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
    ) -> Option<T> {
        let value = self.take(name).filter(|value| !value.is_null())?;
        self.read(name, value, |value| or_null(value, read))
    }

    /// A member that may be left out, but is not null.
    pub(crate) fn given<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
    ) -> Option<T> {
        let value = self.take(name)?;
        self.read(name, value, read)
    }

    /// An object that must be there; `None` if it or any member of it is to blame.
    pub(crate) fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Members<'_, 'b>) -> Option<T>,
    ) -> Option<T> {
        let value = self.required(name, Ok)?;
        object(value, Path::Member(&self.path, name), self.violations, read)
    }

    /// Members that were not asked for do not matter.
    pub(crate) fn ignore_others(&mut self) {
        self.found.clear();
    }

    /// A member whose mere presence matters, and which is not null.
    pub(crate) fn stated<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
    ) -> Stated<T> {
        match self.take(name) {
            None => Stated::Absent,
            // The body is refused if it cannot be read, so what stands here then does not matter.
            Some(value) => self.read(name, value, read).map_or(Stated::Null, Stated::Value),
        }
    }

    /// A member whose mere presence matters, and which may be null.
    pub(crate) fn stated_or_null<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
    ) -> Stated<T> {
        match self.take(name) {
            None => Stated::Absent,
            Some(value) if value.is_null() => Stated::Null,
            Some(value) => self
                .read(name, value, |value| or_null(value, read))
                .map_or(Stated::Null, Stated::Value),
        }
    }

    /// A list of objects that must be there; `None` if it or any of them is to blame.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Members<'_, 'b>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let found = self.required(name, |value| elements(value, &bounds))?;
        self.each(name, found, |element| element.object(&mut read))
    }

    /// A list that may be left out, but is not null; `None` if it or anything in it is to blame.
    pub(crate) fn given_list<T>(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<usize>,
        read: impl FnMut(Element<'_, 'b>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(value) = self.take(name) else { return Some(Vec::new()) };
        let found = self.read(name, value, |value| elements(value, &bounds))?;
        self.each(name, found, read)
    }

    fn each<T>(
        &self,
        name: &'static str,
        found: Vec<Json<'b>>,
        mut read: impl FnMut(Element<'_, 'b>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let path = Path::Member(&self.path, name);
        // All are read before any of them decides, so that every violation is named.
        let read: Vec<Option<T>> = found
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                let path = Path::Item(&path, index);
                read(Element { value, path, violations: self.violations })
            })
            .collect();
        read.into_iter().collect()
    }

    /// The value of a member; a repeated one is to blame, because nobody knows which was meant.
    fn take(&mut self, name: &'static str) -> Option<Json<'b>> {
        let mut value = None;
        let mut repeated = false;
        for member in self.found.iter_mut().filter(|member| member.name == name) {
            member.asked_for = true;
            repeated |= value.replace(member.value).is_some();
        }
        if repeated {
            let _none: Option<()> = self.blame(name, Fault::repeated(name));
        }
        value
    }

    fn read<T>(
        &self,
        name: &'static str,
        value: Json<'b>,
        read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
    ) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(fault) => self.blame(name, fault),
        }
    }

    fn refuse_unknown(&self) {
        for member in self.found.iter().filter(|member| !member.asked_for).take(MOST_LISTED) {
            let path = Path::Member(&self.path, clipped(&member.name));
            blame(self.violations, path, Fault::unknown_member());
        }
    }

    fn blame<T>(&self, name: &str, fault: Fault) -> Option<T> {
        blame(self.violations, Path::Member(&self.path, name), fault);
        None
    }
}

/// The elements of a list with so many of them.
fn elements<'b>(value: Json<'b>, bounds: &RangeInclusive<usize>) -> Result<Vec<Json<'b>>, Fault> {
    let cast = || Fault::cast("array", value.type_name());
    let elements = value.elements().ok_or_else(cast)?;
    if bounds.contains(&elements.len()) {
        Ok(elements)
    } else {
        Err(Fault::count(*bounds.start(), *bounds.end(), elements.len()))
    }
}

/// What may be null says so when it is of another type.
fn or_null<'b, T>(
    value: Json<'b>,
    read: impl FnOnce(Json<'b>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    read(value).map_err(|fault| fault.or("null"))
}

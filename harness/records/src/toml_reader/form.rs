//! The forms that a key's value can have.

use std::ops::Bound;

use lacuna_model::CountryCode;

use super::duration;
use super::near::did_you_mean;
use super::shape::Shape;
use super::tree::{Node, Value};

/// Letters, digits, `-` and `_`: ids stand in file names, in `--set` and in CSV cells.
pub(crate) const NAME_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";

/// A range of real numbers.
pub(crate) type Range = (Bound<f64>, Bound<f64>);

/// The form of a value.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// A text that is not empty.
    Words,
    /// A text that is looked for in messages: not empty, and it may stand twice in a list.
    Component,
    /// An id, see [`NAME_PATTERN`].
    Name,
    /// A country code.
    Country,
    /// A path, relative to the file.
    Path,
    /// `env:NAME` or `file:PATH`.
    Secret,
    /// true or false.
    Boolean,
    /// A whole number between two others.
    Integer { least: i64, most: i64 },
    /// A number in a range.
    Number(Range),
    /// A length of time.
    Duration,
    /// A length of time, or `"auto"`.
    DurationOrAuto,
    /// One of some words. `reserved` ones are known, but this version cannot do them.
    Choice { of: Vec<&'static str>, reserved: &'static [&'static str] },
    /// A list of scalars.
    List { of: Box<Form>, least: usize, unique: bool },
    /// A table.
    Table(Shape),
    /// An array of tables.
    Tables { of: Shape, least: usize },
    /// The number of the file format; a file of another one is not read any further.
    Version(i64),
}

/// What is wrong with a value, and how to mend it.
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) fix: String,
}

fn complaint<T>(message: impl Into<String>, fix: impl Into<String>) -> Result<T, Complaint> {
    Err(Complaint { message: message.into(), fix: fix.into() })
}

impl Form {
    pub(crate) fn choice(of: &[&'static str]) -> Self {
        Self::Choice { of: of.to_vec(), reserved: &[] }
    }

    pub(crate) fn list(of: Self) -> Self {
        Self::at_least(0, of)
    }

    pub(crate) fn some(of: Self) -> Self {
        Self::at_least(1, of)
    }

    fn at_least(least: usize, of: Self) -> Self {
        let unique = !matches!(of, Self::Component);
        Self::List { of: Box::new(of), least, unique }
    }

    /// Whether a value that is no list and no table has this form.
    pub(crate) fn test(&self, node: &Node) -> Result<(), Complaint> {
        match (self, &node.value) {
            (Self::Boolean, Value::Boolean(_)) | (Self::Text, Value::Text(_)) => Ok(()),
            (Self::Version(known), Value::Integer(number)) if number == known => Ok(()),
            (Self::Version(known), Value::Integer(number)) => complaint(
                format!("this version of Lacuna does not read schema {number}"),
                format!("use schema {known}, or the version of Lacuna that the file was written for"),
            ),
            (Self::Integer { least, most }, Value::Integer(number)) => whole(*number, *least, *most),
            (Self::Number(range), Value::Float(number)) => real(*number, *range),
            (Self::Number(range), Value::Integer(number)) => real(*number as f64, *range),
            (_, Value::Text(text)) if self.takes_text() => self.test_text(text),
            (_, value) => complaint(format!("expected {}, found {}", self.expected(), value.kind()), self.hint(&node.value)),
        }
    }

    fn takes_text(&self) -> bool {
        match self {
            Self::Text
            | Self::Words
            | Self::Component
            | Self::Name
            | Self::Country
            | Self::Path
            | Self::Secret
            | Self::Duration
            | Self::DurationOrAuto
            | Self::Choice { .. } => true,
            Self::Boolean
            | Self::Integer { .. }
            | Self::Number(_)
            | Self::List { .. }
            | Self::Table(_)
            | Self::Tables { .. }
            | Self::Version(_) => false,
        }
    }

    fn test_text(&self, text: &str) -> Result<(), Complaint> {
        match self {
            Self::Words | Self::Path if text.trim().is_empty() => complaint("is empty", "give a text, or leave the key out"),
            Self::Path if text.contains('\0') => complaint("a path cannot contain a NUL character", "take it out"),
            Self::Component if text.is_empty() => complaint("an empty component occurs in every text", "take it out"),
            Self::Name if !is_name(text) => {
                complaint(format!("{} is no id", quoted(text)), "use 1 to 64 letters (A to Z, a to z), digits, `-` and `_`")
            }
            Self::Country => test_country(text),
            Self::Secret => test_secret(text),
            Self::DurationOrAuto if text == "auto" => Ok(()),
            Self::Duration | Self::DurationOrAuto if duration::parse(text).is_none() => complaint(
                format!("{} is no length of time", quoted(text)),
                "write a whole number and us, ms, s, min, h or d: \"1500ms\"",
            ),
            Self::Choice { reserved, .. } if reserved.contains(&text) => {
                complaint(format!("this version cannot run `{text}`"), format!("use {}", self.expected()))
            }
            Self::Choice { of, .. } if !of.contains(&text) => complaint(
                format!("{} is not one of the choices", quoted(text)),
                did_you_mean(text, "choices", of.iter().copied()),
            ),
            _ => Ok(()),
        }
    }

    /// What the form is, for messages.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text | Self::Words | Self::Component => "text".to_owned(),
            Self::Name => "an id".to_owned(),
            Self::Country => "a country code".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Secret => "a reference to a secret".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Integer { .. } | Self::Version(_) => "a whole number".to_owned(),
            Self::Number(_) => "a number".to_owned(),
            Self::Duration => "a length of time".to_owned(),
            Self::DurationOrAuto => "a length of time or \"auto\"".to_owned(),
            Self::Choice { of, .. } => of.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
            Self::List { of, .. } => format!("a list, each element {}", of.expected()),
            Self::Table(_) => "a table".to_owned(),
            Self::Tables { .. } => "an array of tables".to_owned(),
        }
    }

    fn hint(&self, found: &Value) -> String {
        match (self, found) {
            (Self::Duration | Self::DurationOrAuto, Value::Integer(number)) => format!("give the unit, in quotes: \"{number}s\""),
            (_, Value::Array(_)) if self.takes_text() => "give one text in quotes, not a list".to_owned(),
            _ if self.takes_text() => "write it in quotes".to_owned(),
            (Self::Boolean | Self::Integer { .. } | Self::Number(_), Value::Text(_)) => "write it without quotes".to_owned(),
            (Self::List { .. }, _) => "write it in square brackets: [\"…\"]".to_owned(),
            _ => String::new(),
        }
    }
}

/// A text for a message: in quotes, and cut off where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn test_country(text: &str) -> Result<(), Complaint> {
    if text.parse::<CountryCode>().is_ok() {
        return Ok(());
    }
    let capitals = text.to_ascii_uppercase();
    let fix = match capitals.as_str() {
        "UK" => "did you mean `GB`?".to_owned(),
        capitals if capitals.parse::<CountryCode>().is_ok() => format!("did you mean `{capitals}`?"),
        _ => "use an assigned ISO 3166-1 alpha-2 code in capitals: \"CN\"".to_owned(),
    };
    complaint(format!("{} is no country code", quoted(text)), fix)
}

/// Never shows the text: somebody may have written the secret itself.
fn test_secret(text: &str) -> Result<(), Complaint> {
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0']) => Ok(()),
        Some(("file", path)) if !path.is_empty() && !path.contains('\0') => Ok(()),
        _ => complaint("is no reference to a secret", "write \"env:NAME\" or \"file:PATH\", never the secret itself"),
    }
}

fn whole(number: i64, least: i64, most: i64) -> Result<(), Complaint> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    let fix = if most == i64::MAX { format!("use {least} or more") } else { format!("use {least} to {most}") };
    complaint(format!("{number} is out of range"), fix)
}

fn real(number: f64, (low, high): Range) -> Result<(), Complaint> {
    let above = match low {
        Bound::Included(low) => number >= low,
        Bound::Excluded(low) => number > low,
        Bound::Unbounded => true,
    };
    let below = match high {
        Bound::Included(high) => number <= high,
        Bound::Excluded(high) => number < high,
        Bound::Unbounded => true,
    };
    if above && below && number.is_finite() {
        return Ok(());
    }
    let low = match low {
        Bound::Included(low) => format!("{low} or more"),
        Bound::Excluded(low) => format!("more than {low}"),
        Bound::Unbounded => String::new(),
    };
    let high = match high {
        Bound::Included(high) => format!(" and at most {high}"),
        Bound::Excluded(high) => format!(" and less than {high}"),
        Bound::Unbounded => String::new(),
    };
    complaint(format!("{number} is out of range"), format!("use a number that is {low}{high}"))
}

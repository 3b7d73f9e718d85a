//! Markdown as GitHub reads it: tables within a budget of bytes, and text of others that stays text.
//!
//! What others wrote is made visible and cut by the crate's `text`, and each ASCII character that could be markup is written as a
//! numeric character reference. By the specification such a reference never is structure (CommonMark 0.31, section 2.5), so that neither a
//! pipe ends a cell nor an asterisk or an angle bracket begins anything; and nobody is mentioned, since an `@` stands apart.

use std::fmt::Write as _;

use crate::text::{self, Foreign};
use crate::words::{count, counted};

/// A cell of a [`Table`]: a line of Markdown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell(String);

impl Cell {
    /// Words of this program, however long.
    #[must_use]
    pub fn words(words: &str) -> Self {
        Self(escaped(&lacuna_content::visible(words)))
    }

    /// A name that somebody chose.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self(foreign(text::name(name)))
    }

    /// The beginning of a message.
    #[must_use]
    pub fn excerpt(message: &str) -> Self {
        Self(foreign(text::excerpt(message)))
    }

    /// A sentence that somebody wrote.
    #[must_use]
    pub fn sentence(sentence: &str) -> Self {
        Self(foreign(text::sentence(sentence)))
    }

    /// A count; a dot where there is nothing.
    #[must_use]
    pub fn count(number: u64) -> Self {
        Self(if number == 0 { "·".to_owned() } else { count(number) })
    }
}

/// A table. A column of numbers is written to the right.
#[derive(Clone, Debug)]
pub struct Table {
    /// The header and the line below it.
    head: String,
    columns: usize,
    rows: Vec<String>,
}

/// How the cells of a column stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

impl Table {
    /// A table with this header, and no rows yet.
    #[must_use]
    pub fn new(header: &[(&str, Align)]) -> Self {
        let mut head = line(header.iter().map(|(name, _)| escaped(name)));
        head += &line(header.iter().map(|(_, align)| if *align == Align::Left { "---" } else { "--:" }.to_owned()));
        Self { head, columns: header.len(), rows: Vec::new() }
    }

    /// Adds a row. Cells that are missing are empty, those beyond the header are left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells = cells.into_iter().map(|cell| cell.0).chain(std::iter::repeat_with(String::new)).take(self.columns);
        self.rows.push(line(cells));
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in at most so many bytes: as many rows from the beginning as fit. Where some do not, a line below says how many, and that
    /// `all_in` has all of them. Where not even that fits, nothing.
    #[must_use]
    pub fn within(&self, budget: usize, all_in: &str) -> String {
        let whole = self.head.len() + self.rows.iter().map(String::len).sum::<usize>();
        if whole <= budget {
            return self.head.clone() + &self.rows.concat();
        }
        let left_out = |rows: usize| {
            format!(
                "\n{} left out here; {} has all {}.\n",
                counted(rows as u64, "row"),
                escaped(all_in),
                count(self.rows.len() as u64)
            )
        };
        // The longest it can be.
        let note = left_out(self.rows.len()).len();
        let Some(mut room) = budget.checked_sub(self.head.len() + note) else {
            let note = left_out(self.rows.len());
            return if note.len() <= budget { note } else { String::new() };
        };
        let mut text = self.head.clone();
        let mut shown = 0;
        for row in &self.rows {
            let Some(rest) = room.checked_sub(row.len()) else { break };
            room = rest;
            text += row;
            shown += 1;
        }
        text + &left_out(self.rows.len() - shown)
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = "|".to_owned();
    for cell in cells {
        // Writing to a string cannot fail.
        let _ = write!(line, " {cell} |");
    }
    line + "\n"
}

/// What others wrote, as one line of Markdown that is nothing but text. It must stand behind something: see [`paragraph`].
pub(crate) fn foreign(text: Foreign<'_>) -> String {
    escaped(&text.line())
}

/// What others wrote, as a paragraph. What begins a list, a rule or a block of code begins none here.
pub(crate) fn paragraph(text: Foreign<'_>) -> String {
    let line = text.line();
    let line = line.trim();
    match line.chars().next().filter(|first| first.is_ascii() && !first.is_ascii_alphabetic()) {
        Some(first) => reference(first) + &escaped(&line[1..]),
        None => escaped(line),
    }
}

/// A character that is no markup whatever stands around it.
fn reference(character: char) -> String {
    format!("&#{};", u32::from(character))
}

/// Text in which nothing is markup, behind something else on its line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ['\0'; 3];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // Behind this a word would be somebody's name, or part of an address of mail.
            '@' => escaped += "&#64;<wbr>",
            // The beginning of an address would be a link.
            '.' if before.iter().all(|it| it.eq_ignore_ascii_case(&'w')) => escaped += &reference(character),
            // `http://`, or the name of a picture: `:tada:`.
            ':' if characters.peek().is_some_and(|it| !it.is_whitespace()) => escaped += &reference(character),
            '\'' | ',' | '-' | '.' | '/' | ':' | ';' | '%' | '?' | '(' | ')' | '=' | '"' => escaped.push(character),
            _ if character.is_ascii_punctuation() => escaped += &reference(character),
            _ => escaped.push(character),
        }
        before = [before[1], before[2], character];
    }
    escaped
}

//! Problems of files, told with the line they are on. The only module that knows miette.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use lacuna_model::Problem;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};

use crate::screen::Screen;
use crate::visible::{visible, visible_in_place};

/// Larger files are not read again to show a line of them.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// What stands beside a line of the source, in columns of the terminal.
const MARGIN: usize = 12;

/// Tells all problems on stderr: with the line of the source on a terminal, a line each elsewhere.
pub fn tell(problems: &[Problem]) {
    let on_terminal = Screen::is_terminal();
    for problem in problems {
        if on_terminal {
            eprintln!("{}", drawn(problem, console::Term::stderr().size().1.into(), console::colors_enabled_stderr()));
        } else {
            eprintln!("{}", visible(&problem.to_string()));
        }
    }
    let count = problems.len();
    eprintln!("lacuna: {count} {}; nothing was done", if count == 1 { "problem" } else { "problems" });
}

/// A problem with the line it is on.
fn drawn(problem: &Problem, width: usize, colours: bool) -> String {
    let theme = if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false).with_context_lines(1);
    let report = Report { problem, excerpt: Excerpt::read(problem, width.saturating_sub(MARGIN)) };
    let mut text = String::new();
    match handler.render_report(&mut text, &report) {
        Ok(()) => text,
        Err(fmt::Error) => visible(&problem.to_string()),
    }
}

#[derive(Debug)]
struct Report<'a> {
    problem: &'a Problem,
    excerpt: Option<Excerpt>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { location, key, message, .. } = self.problem;
        if self.excerpt.is_none() {
            f.write_str(&visible(&location.to_string()))?;
            f.write_str(": ")?;
        }
        if !key.is_empty() {
            f.write_str(&visible(key))?;
            f.write_str(": ")?;
        }
        f.write_str(&visible(message))
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.problem.fix.is_empty()).then(|| Box::new(visible(&self.problem.fix)) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, excerpt.place))))
    }
}

/// The line that a problem is on, with its neighbours.
#[derive(Debug)]
struct Excerpt {
    name: String,
    /// The number of the first of the lines, from 0.
    first: usize,
    lines: String,
    /// In `lines`.
    place: SourceSpan,
}

impl Excerpt {
    /// Lines are cut to `width` columns. There is no excerpt where the place would be cut off.
    fn read(problem: &Problem, width: usize) -> Option<Self> {
        let location = &problem.location;
        let line = location.line.checked_sub(1)?;
        let source = read(&location.file)?;
        let first = line.saturating_sub(1);
        let mut lines = String::new();
        let mut start = 0;
        let mut length = 0;
        for (number, text) in (first..).zip(source.lines().skip(first).take(line + 2 - first)) {
            let beginning: String = without_secret(text).chars().take(width).collect();
            let beginning = visible_in_place(&beginning);
            let text = console::truncate_str(&beginning, width, "");
            if number == line {
                // A column counts characters; a span counts bytes. Without a column the whole line is meant.
                let column = location.column.saturating_sub(1);
                if column > text.chars().count() {
                    return None;
                }
                let bytes = |characters| text.chars().take(characters).map(char::len_utf8).sum::<usize>();
                start = lines.len() + bytes(column);
                length = if location.column == 0 { text.len() } else { token(&text[bytes(column)..]) };
            }
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{text}");
        }
        let name = visible(&location.file.display().to_string());
        // A line that is not there has no excerpt either.
        (lines.lines().count() > line - first).then(|| Self { name, first, lines, place: (start, length).into() })
    }
}

/// A line as it may be shown. Only a reference may stand where a secret belongs, but the mistake is to write the secret there.
fn without_secret(line: &str) -> Cow<'_, str> {
    match line.split_once('=') {
        Some((key, value)) if key.trim().trim_matches('"') == "secret" => {
            let reference = ["\"env:", "\"file:"].iter().any(|scheme| value.trim_start().starts_with(scheme));
            if reference { Cow::Borrowed(line) } else { Cow::Owned(format!("{key}= \"…\"")) }
        }
        _ => Cow::Borrowed(line),
    }
}

/// The length of what begins here: a word, a quoted text, or one character.
fn token(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    if let Some(inner) = text.strip_prefix('"') {
        return inner.find('"').map_or(text.len(), |end| end + 2);
    }
    let word = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.');
    text.find(|it| !word(it)).unwrap_or(text.len()).max(first)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.lines.read_span(span, before, after)?;
        // miette counts bytes, and people count characters.
        let before = &self.lines[..inner.span().offset()];
        let column = before.chars().rev().take_while(|it| *it != '\n').count();
        let line = inner.line() + self.first;
        let contents =
            MietteSpanContents::new_named(self.name.clone(), inner.data(), *inner.span(), line, column, inner.line_count());
        Ok(Box::new(contents))
    }
}

fn read(file: &Path) -> Option<String> {
    if !std::fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::path::PathBuf;

    use lacuna_model::Location;

    use super::*;

    fn problem(file: PathBuf, line: usize, column: usize) -> Problem {
        let (key, message, fix) = ("arm.a.venue", "`gruop` is none of direct, group, feed", "did you mean `group`?");
        Problem { location: Location { file, line, column }, key: key.into(), message: message.into(), fix: fix.into() }
    }

    #[test]
    fn a_problem_is_drawn_with_its_line_and_what_is_wide_or_hostile_moves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        std::fs::write(&file, "# 注释\u{1b}[2J\n[[arm]]\nid = \"新\" ; venue = \"gruop\"\nrecipients = []\n").unwrap();
        let text = drawn(&problem(file.clone(), 3, 20), 80, false);
        insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "FOLDER"));
        // A place that is not there is no reason to say nothing.
        for (line, column) in [(0, 0), (3, 0), (3, 500), (99, 1)] {
            assert!(drawn(&problem(file.clone(), line, column), 80, false).contains("gruop"));
        }
        // The line is cut, and a place behind the cut is told in words.
        std::fs::write(&file, format!("key = \"{}\"\n", "长".repeat(5000))).unwrap();
        let text = drawn(&problem(file.clone(), 1, 7), 80, false);
        assert!(text.lines().all(|line| console::measure_text_width(line) <= 80), "{text}");
        assert!(drawn(&problem(file.clone(), 1, 4000), 80, false).contains("x.toml:1:4000"));
        assert!(drawn(&problem(folder.path().join("none.toml"), 1, 1), 80, false).contains("none.toml:1:1"));
    }

    #[test]
    fn a_secret_in_the_place_of_a_reference_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        std::fs::write(&file, "[[account]]\nsecret = \"hunter2\"\nid = \"a\"\nsecret = \"env:TOKEN\"\n").unwrap();
        for (line, column) in [(1, 1), (2, 1), (2, 10), (3, 6)] {
            let text = drawn(&problem(file.clone(), line, column), 80, false);
            assert!(text.contains("secret = \"…\"") && !text.contains("hunter2"), "{text}");
        }
        assert!(drawn(&problem(file, 3, 1), 80, false).contains("env:TOKEN"));
    }
}

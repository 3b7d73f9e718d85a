//! What a careful list should not have, on top of what [`load`](super::load()) refuses.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;
use lacuna_model::Problem;

use super::characters::{invisible, normal_form, shown};
use super::collector::Collector;
use super::files::Files;
use super::head::is_language_tag;
use super::item::COLUMNS;
use super::load::{Cells, read};

/// All problems of a corpus folder at once, in the order of its files. An empty list means that the corpus can be used
/// and published as it is.
#[must_use]
pub fn lint(folder: &Path) -> Vec<Problem> {
    let mut linter = Linter { first_of_form: HashMap::new(), files: Files::new(folder) };
    read(folder, |cells, components, problems| linter.row(cells, components, problems)).1
}

struct Linter<'a> {
    /// The line and the exact text of the first item with a normal form.
    first_of_form: HashMap<String, (usize, String)>,
    files: Files<'a>,
}

impl Linter<'_> {
    fn row(&mut self, cells: &Cells, components: &[String], problems: &mut Collector) {
        let at = (cells.line, 0);
        for column in COLUMNS {
            check_characters(cells, column, problems);
        }
        self.check_repeats(cells, components, problems);
        self.files.check(cells, problems);
        if cells.get("category").is_empty() {
            problems.report(at, "category", "is missing", "say what the item is about; controls have categories too");
        }
        let language = cells.get("language");
        if !language.is_empty() && !is_language_tag(language) {
            problems.report(at, "language", format!("`{}` is no BCP 47 tag", shown(language)), "write it like zh-Hans, bo or en");
        }
        let date = cells.get("date_added");
        if !date.is_empty() && !is_date(date) {
            problems.report(at, "date_added", format!("`{}` is no date", shown(date)), "write it as YYYY-MM-DD");
        }
        let url = cells.get("source_url");
        if !url.is_empty() && (!(url.starts_with("https://") || url.starts_with("http://")) || url.contains(char::is_whitespace))
        {
            problems.report(
                at,
                "source_url",
                format!("`{}` is no web address", shown(url)),
                "begin with https:// and leave out blanks",
            );
        }
    }

    /// Two texts that a platform or the matching may take for one are reported, the exact repeat apart from the other.
    fn check_repeats(&mut self, cells: &Cells, components: &[String], problems: &mut Collector) {
        // The same caption may stand under many pictures.
        if components.is_empty() || !cells.get("file").is_empty() {
            return;
        }
        let form = components.iter().map(|component| normal_form(component)).collect::<Vec<_>>().join("\0");
        let text = cells.get("text");
        match self.first_of_form.get(&form) {
            Some((line, first)) if first == text => {
                let message = format!("`{}` is already the text of line {line}", shown(text));
                problems.report((cells.line, 0), "text", message, "remove one of the two");
            }
            Some((line, first)) => {
                let message = format!(
                    "`{}` differs from `{}` on line {line} only in width, composition, blanks or hidden characters",
                    shown(text),
                    shown(first)
                );
                problems.report((cells.line, 0), "text", message, "keep one of the two, and name the other in its notes");
            }
            None => {
                self.first_of_form.insert(form, (cells.line, text.to_owned()));
            }
        }
    }
}

fn check_characters(cells: &Cells, column: &str, problems: &mut Collector) {
    let at = (cells.line, 0);
    let cell = cells.get(column);
    if column != "notes" && cell.trim() != cell {
        problems.report(at, column, format!("`{}` begins or ends with a blank", shown(cell)), "remove it");
    }
    for (index, character) in cell.chars().enumerate() {
        // Messages and notes may have several lines; nothing else.
        let allowed = character == '\n' && matches!(column, "text" | "notes");
        // The reader itself reports the others in a text.
        let reported = column == "text" && !matches!(character, '\t' | '\r');
        if character.is_control() && !allowed && !reported {
            let name = match character {
                '\t' => "a tab".to_owned(),
                '\r' => "a carriage return".to_owned(),
                '\n' => "a line break".to_owned(),
                other => format!("the control character U+{:04X}", u32::from(other)),
            };
            problems.report(at, column, format!("has {name} at character {}", index + 1), "remove it or put a blank");
        }
    }
    for (position, character, name) in invisible(cell) {
        let message = format!("has the invisible U+{:04X} {name} at character {position}", u32::from(character));
        problems.report(at, column, message, "remove it");
    }
}

fn is_date(text: &str) -> bool {
    text.parse::<Date>().is_ok_and(|date| date.to_string() == text)
}

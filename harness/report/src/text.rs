//! Text that others wrote: corpora, experiments, platforms, journals. All of it goes through here before it stands on a page.
//!
//! What cannot be seen is written out (controls, direction marks, invisible characters), what is long is cut and says how long it
//! was, and what remains stands in a `<bdi>`, so that its direction ends with it. `maud` escapes it like all text.

use maud::{Markup, Render, html};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::words;

/// How much is shown of a name: an id, a path, a category.
const NAME: usize = 80;
/// How much is shown of a message in a list.
const EXCERPT: usize = 120;
/// How much is shown of a sentence: a question, a reason, a platform's notice.
const SENTENCE: usize = 1_000;
/// How much of a text is looked at to find whole characters; a cluster of combining marks has no end.
const LONGEST_CLUSTER: usize = 64;

/// Text that others wrote, to be shown in a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Foreign<'a> {
    text: &'a str,
    /// The most characters (grapheme clusters) that are shown.
    most: usize,
}

/// A name that somebody chose.
pub(crate) fn name(text: &str) -> Foreign<'_> {
    Foreign { text, most: NAME }
}

/// The beginning of a message.
pub(crate) fn excerpt(text: &str) -> Foreign<'_> {
    Foreign { text, most: EXCERPT }
}

/// A sentence or two.
pub(crate) fn sentence(text: &str) -> Foreign<'_> {
    Foreign { text, most: SENTENCE }
}

impl Foreign<'_> {
    /// The part that is shown, and how many bytes are not.
    fn cut(&self) -> (String, usize) {
        // Only the beginning is looked at: a text may be a megabyte, and one character of it as well.
        let most_bytes = self.text.floor_char_boundary(self.most * LONGEST_CLUSTER);
        let beginning = &self.text[..most_bytes.min(self.text.len())];
        let shown = beginning.grapheme_indices(true).nth(self.most).map_or(beginning.len(), |(end, _)| end);
        (lacuna_content::visible(&beginning[..shown]), self.text.len() - shown)
    }

    /// As one line of plain text, for attributes and figures.
    pub(crate) fn line(&self) -> String {
        let (shown, left) = self.cut();
        if left == 0 { shown } else { format!("{shown}… ({})", words::bytes(self.text.len())) }
    }
}

impl Render for Foreign<'_> {
    fn render(&self) -> Markup {
        let (shown, left) = self.cut();
        html! {
            bdi { (shown) }
            @if left > 0 { span.cut { "… (" (words::bytes(self.text.len())) " in all)" } }
        }
    }
}

/// A part of a text that is shown whole: lines stay lines, all else that cannot be seen is written out.
pub(crate) fn stretch(text: &str) -> String {
    text.split('\n').map(lacuna_content::visible).collect::<Vec<_>>().join("\n")
}

/// The widest beginning of a line that fits into `width`, in units of the font size; with an ellipsis where something is cut off.
///
/// There are no fonts here, so a column of a terminal counts as 0.58 of the font size, a little more than it takes in common fonts.
pub(crate) fn fitting(line: &str, width: f64) -> String {
    if width_of(line) <= width {
        return line.to_owned();
    }
    let mut fitting = String::new();
    for character in line.graphemes(true) {
        if width_of(&fitting) + width_of(character) + width_of("…") > width {
            break;
        }
        fitting += character;
    }
    fitting + "…"
}

/// How wide a line is, in units of the font size.
pub(crate) fn width_of(line: &str) -> f64 {
    line.width() as f64 * 0.58
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_become_markup_nor_turn_the_line_around() {
        let shown = html! { p title=(name("\"onload=x").line()) { (name("<script>\u{202e}\u{0}&amp;")) } };
        assert_eq!(shown.into_string(), "<p title=\"&quot;onload=x\"><bdi>&lt;script&gt;\\u{202e}\\u{0}&amp;amp;</bdi></p>");
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let long = "新".repeat(350_000);
        let shown = name(&long).render().into_string();
        assert!(
            shown.starts_with("<bdi>新新") && shown.ends_with("新</bdi><span class=\"cut\">… (1,050,000 bytes in all)</span>")
        );
        assert_eq!(name(&long).cut().0.chars().count(), NAME);
        // One character with a million marks.
        let marks = format!("a{}", "\u{301}".repeat(500_000));
        assert!(name(&marks).line().len() < 8_000);
        assert_eq!(name("ab").line(), "ab");
    }

    #[test]
    fn a_line_is_cut_to_its_width() {
        assert_eq!(fitting("abcdef", 10.0), "abcdef");
        assert_eq!(fitting("abcdefghij", 3.0), "abcd…");
        assert_eq!(fitting("新疆集中营", 3.0), "新疆…");
    }
}

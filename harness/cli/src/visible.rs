//! Text from files and platforms, made fit for a terminal: nothing in it can move the cursor, hide or reorder what stands there.

use lacuna_content::visible::is_plain;
pub use lacuna_content::visible::visible;

/// As [`visible`], but each such character becomes one replacement character, so that columns stay what they are.
pub fn visible_in_place(text: &str) -> String {
    let shown = |character| match character {
        '\n' => character,
        '\t' => ' ',
        _ if is_plain(character) => character,
        _ => char::REPLACEMENT_CHARACTER,
    };
    text.chars().map(shown).collect()
}

/// The beginning of a text, at most `width` columns of a terminal wide.
pub fn shortened(text: &str, width: usize) -> String {
    // Only the beginning is looked at: a text may be long.
    let beginning: String = text.chars().take(width + 1).collect();
    console::truncate_str(&visible(&beginning), width, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_what_they_are() {
        assert_eq!(visible_in_place("a\u{202e}\tb\u{1b}c\n"), "a\u{fffd} b\u{fffd}c\n");
    }

    #[test]
    fn a_text_is_cut_by_its_width_on_the_screen() {
        assert_eq!(shortened("新疆集中营", 6), "新疆…");
        assert_eq!(shortened("abc", 6), "abc");
        let cut = shortened(&"新a".repeat(50), 20);
        assert!((19..=20).contains(&console::measure_text_width(&cut)), "{cut}");
    }
}

//! Text from files and platforms, made fit for a terminal: nothing in it can move the cursor, hide or reorder what stands there.

/// Whether a terminal shows this character as itself, and nothing but itself.
fn is_plain(character: char) -> bool {
    let bidirectional =
        matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let invisible = matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2028}'..='\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    !(character.is_control() || bidirectional || invisible)
}

/// The text with every control, direction and invisible character written out: `\n`, `\u{202e}`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

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
    fn nothing_can_move_the_cursor_or_turn_the_line_around() {
        assert_eq!(visible("a\u{1b}[2Jb\r\n\u{202e}c\u{200b}"), "a\\u{1b}[2Jb\\r\\n\\u{202e}c\\u{200b}");
        assert_eq!(visible("新疆 \u{f62} ئۇيغۇر 👍"), "新疆 \u{f62} ئۇيغۇر 👍");
    }

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

//! Text from corpora, files and platforms, made fit to be shown: nothing in it can hide, reorder or end what stands around it.

/// Whether this character is shown as itself, and nothing but itself.
#[must_use]
pub fn is_plain(character: char) -> bool {
    let bidirectional =
        matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let invisible = matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2028}'..='\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    // Unicode's noncharacters, which no XML document may hold.
    let none = matches!(character, '\u{fdd0}'..='\u{fdef}') || u32::from(character) & 0xfffe == 0xfffe;
    !(character.is_control() || bidirectional || invisible || none)
}

/// The text with every control, direction and invisible character written out: `\n`, `\u{202e}`.
#[must_use]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_move_the_cursor_or_turn_the_line_around() {
        assert_eq!(visible("a\u{1b}[2Jb\r\n\u{202e}c\u{200b}"), "a\\u{1b}[2Jb\\r\\n\\u{202e}c\\u{200b}");
        assert_eq!(visible("\u{0}\u{ffff}\u{fdd0}\u{10fffe}"), "\\u{0}\\u{ffff}\\u{fdd0}\\u{10fffe}");
        assert_eq!(visible("新疆 \u{f62} ئۇيغۇر 👍"), "新疆 \u{f62} ئۇيغۇر 👍");
    }
}

//! Characters that nobody sees, and the normal form in which two texts count as the same.

use unicode_normalization::UnicodeNormalization as _;

/// The name of a character that a reader cannot see and that has no place in a text: a zero-width character, a
/// direction mark, a line or paragraph separator. `None` for all others, control characters among them.
pub(super) fn invisible_name(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{00AD}' => "SOFT HYPHEN",
        '\u{061C}' => "ARABIC LETTER MARK",
        '\u{180E}' => "MONGOLIAN VOWEL SEPARATOR",
        '\u{200B}' => "ZERO WIDTH SPACE",
        '\u{200C}' => "ZERO WIDTH NON-JOINER",
        '\u{200D}' => "ZERO WIDTH JOINER",
        '\u{200E}' => "LEFT-TO-RIGHT MARK",
        '\u{200F}' => "RIGHT-TO-LEFT MARK",
        '\u{2028}' => "LINE SEPARATOR",
        '\u{2029}' => "PARAGRAPH SEPARATOR",
        '\u{202A}' => "LEFT-TO-RIGHT EMBEDDING",
        '\u{202B}' => "RIGHT-TO-LEFT EMBEDDING",
        '\u{202C}' => "POP DIRECTIONAL FORMATTING",
        '\u{202D}' => "LEFT-TO-RIGHT OVERRIDE",
        '\u{202E}' => "RIGHT-TO-LEFT OVERRIDE",
        '\u{2060}' => "WORD JOINER",
        '\u{2066}' => "LEFT-TO-RIGHT ISOLATE",
        '\u{2067}' => "RIGHT-TO-LEFT ISOLATE",
        '\u{2068}' => "FIRST STRONG ISOLATE",
        '\u{2069}' => "POP DIRECTIONAL ISOLATE",
        '\u{FEFF}' => "ZERO WIDTH NO-BREAK SPACE",
        _ => return None,
    })
}

/// The invisible characters of a text with their positions (in characters, from 1). Joiners that spell a word of a
/// joining script or build an emoji are not among them.
pub(super) fn invisible(text: &str) -> Vec<(usize, char, &'static str)> {
    let characters: Vec<char> = text.chars().collect();
    let spells = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| characters.get(before));
        before.copied().is_some_and(takes_joiner) && characters.get(index + 1).copied().is_some_and(takes_joiner)
    };
    let named =
        characters.iter().enumerate().filter_map(|(index, &character)| Some((index, character, invisible_name(character)?)));
    named
        .filter(|&(index, character, _)| !(matches!(character, '\u{200C}' | '\u{200D}') && spells(index)))
        .map(|(index, character, name)| (index + 1, character, name))
        .collect()
}

/// Arabic, the Indic scripts, Mongolian, and what emoji sequences are made of.
fn takes_joiner(character: char) -> bool {
    matches!(character,
        '\u{0600}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08FF}' | '\u{0900}'..='\u{0DFF}'
        | '\u{1800}'..='\u{18AF}' | '\u{2600}'..='\u{27BF}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

/// The text without [`invisible`] characters.
pub(super) fn without_invisible(text: &str) -> String {
    let hidden: Vec<usize> = invisible(text).into_iter().map(|(position, _, _)| position).collect();
    text.chars()
        .zip(1..)
        .filter(|(_, position)| hidden.binary_search(position).is_err())
        .map(|(character, _)| character)
        .collect()
}

/// NFKC, without invisible characters, every run of white space one blank, none at the ends.
pub(super) fn normal_form(text: &str) -> String {
    let visible: String = without_invisible(text).nfkc().collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with what cannot be seen written as `<U+200B>`, for people.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || invisible_name(character).is_some() {
            shown.extend([format!("<U+{:04X}>", u32::from(character))]);
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joiners_that_spell_are_left_alone() {
        for fine in ["👩\u{200D}🔬", "می\u{200C}خواهم", "क्\u{200D}ष", "天安门", "བོད་"] {
            assert_eq!(invisible(fine), [], "{fine}");
        }
        assert_eq!(invisible("天\u{200D}安"), [(2, '\u{200D}', "ZERO WIDTH JOINER")]);
        assert_eq!(invisible("\u{200C}می").len(), 1);
    }

    #[test]
    fn the_normal_form_forgets_width_blanks_and_what_is_hidden() {
        assert_eq!(normal_form(" ６４\u{3000}\u{200B} Ⅷ "), "64 VIII");
        assert_eq!(shown("a\u{200B}\tb"), "a<U+200B><U+0009>b");
    }
}

//! The normal form of a text: what stays when everything is taken away that platforms change without meaning to.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The normal form of `text`. Two texts are the same to a reader when their normal forms are equal. In this order:
///
/// 1. Characters without a width or a shape of their own are removed: soft hyphen, combining grapheme joiner, zero-width
///    space, joiner and non-joiner, word joiner and the invisible operators, the byte order mark, the variation selectors
///    (Mongolian, VS1 to VS16, VS17 to VS256), and the bidirectional controls. These are the `Default_Ignorable_Code_Point`s
///    of the Unicode Character Database (`DerivedCoreProperties.txt`) without the Hangul fillers, which are letters to
///    some users, and without the tag characters, which tell apart the flags of regions.
/// 2. The block *Halfwidth and Fullwidth Forms* (U+FF00 to U+FFEF) is folded to the characters it is a form of: `Ａ` is
///    `A`, `＊` is `*`, `ｶﾞ` is `ガ`. One step of the `<wide>` and `<narrow>` decompositions of UAX 15 and no other: `①`,
///    `ﬁ` and `²` stay, as they do not come and go with the width of an input method.
/// 3. Runs of white space (`White_Space`: also U+3000, U+00A0, CR and LF) become one blank; at both ends they go.
/// 4. Unicode Normalization Form C (UAX 15).
///
/// Letter case, punctuation, and simplified against traditional characters stay different: filters tell them apart.
/// The form of a form is itself.
#[must_use]
pub fn normal_form(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text) {
        return Cow::Borrowed(text);
    }
    let folded = fold(text);
    if is_nfc(&folded) {
        return if folded == text { Cow::Borrowed(text) } else { Cow::Owned(folded) };
    }
    Cow::Owned(folded.nfc().collect())
}

/// ASCII with single blanks between words and none at the ends: nothing to do, and the common case of Latin texts.
fn is_plain_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut after_blank = true;
    for &byte in bytes {
        match byte {
            b' ' if after_blank => return false,
            b' ' => after_blank = true,
            b'\t' | b'\n' | 0x0B | 0x0C | b'\r' | 0x80.. => return false,
            _ => after_blank = false,
        }
    }
    bytes.is_empty() || !after_blank
}

/// Steps 1 to 3.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if is_invisible(c) {
            continue;
        }
        if c.is_whitespace() {
            blank = !out.is_empty();
            continue;
        }
        if blank {
            out.push(' ');
            blank = false;
        }
        out.push(fold_width(c));
    }
    out
}

/// The characters that step 1 removes.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}'                  // soft hyphen
        | '\u{034F}'                // combining grapheme joiner
        | '\u{061C}'                // Arabic letter mark (bidi)
        | '\u{180B}'..='\u{180F}'   // Mongolian variation selectors and vowel separator
        | '\u{200B}'..='\u{200D}'   // zero-width space, non-joiner, joiner
        | '\u{200E}'..='\u{200F}'   // left-to-right and right-to-left mark (bidi)
        | '\u{202A}'..='\u{202E}'   // embeddings and overrides (bidi)
        | '\u{2060}'..='\u{2064}'   // word joiner, invisible operators
        | '\u{2066}'..='\u{2069}'   // isolates (bidi)
        | '\u{206A}'..='\u{206F}'   // deprecated format characters
        | '\u{FE00}'..='\u{FE0F}'   // variation selectors 1 to 16
        | '\u{FEFF}'                // byte order mark, zero-width no-break space
        | '\u{E0100}'..='\u{E01EF}' // variation selectors 17 to 256
    )
}

/// The character that `c` is a wide or narrow form of, else `c`: `UnicodeData.txt`, fields `<wide>` and `<narrow>`.
fn fold_width(c: char) -> char {
    let code = u32::from(c);
    let folded = match code {
        0xFF01..=0xFF5E => code - 0xFEE0,
        0xFF5F..=0xFF60 => code - 0xFF5F + 0x2985,
        // The half-width Katakana are out of the order of the full-width ones; their compatibility form is one character.
        0xFF61..=0xFF9F => return std::iter::once(c).nfkc().next().unwrap_or(c),
        0xFFA0 => 0x3164,
        0xFFA1..=0xFFBE => code - 0xFFA1 + 0x3131,
        0xFFC2..=0xFFC7 => code - 0xFFC2 + 0x314F,
        0xFFCA..=0xFFCF => code - 0xFFCA + 0x3155,
        0xFFD2..=0xFFD7 => code - 0xFFD2 + 0x315B,
        0xFFDA..=0xFFDC => code - 0xFFDA + 0x3161,
        0xFFE0 => 0xA2,
        0xFFE1 => 0xA3,
        0xFFE2 => 0xAC,
        0xFFE3 => 0xAF,
        0xFFE4 => 0xA6,
        0xFFE5 => 0xA5,
        0xFFE6 => 0x20A9,
        0xFFE8 => 0x2502,
        0xFFE9..=0xFFEC => code - 0xFFE9 + 0x2190,
        0xFFED => 0x25A0,
        0xFFEE => 0x25CB,
        _ => return c,
    };
    char::from_u32(folded).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_platforms_change_unasked_is_taken_away() {
        for (text, form) in [
            ("", ""),
            ("plain text", "plain text"),
            (" a\r\n\tb ", "a b"),
            ("新疆\u{3000}集中营\u{a0}", "新疆 集中营"),
            ("法\u{200b}轮\u{feff}功", "法轮功"),
            ("\u{202e}abc\u{202c}", "abc"),
            ("❤\u{fe0f}", "❤"),
            ("葛\u{e0100}城", "葛城"),
            ("ＡＢＣ１２３＊！", "ABC123*!"),
            ("ｶﾞｷﾞ", "ガギ"),
            ("cafe\u{301}", "café"),
            ("e\u{200d}\u{301}", "é"),
            ("ﾡ", "ㄱ"),
            ("￣", "¯"),
            (" \u{3000}\n", ""),
        ] {
            assert_eq!(normal_form(text), form, "{text:?}");
        }
    }

    #[test]
    fn what_a_filter_tells_apart_stays_apart() {
        for (one, other) in
            [("国", "國"), ("Falun", "falun"), ("a,b", "a，b,"), ("①", "1"), ("ﬁ", "fi"), ("ab", "a b"), ("𠮷", "吉")]
        {
            assert_ne!(normal_form(one), normal_form(other));
        }
    }

    #[test]
    fn every_wide_and_narrow_form_folds_to_its_compatibility_form() {
        for c in ('\u{FF00}'..='\u{FFEF}').filter(|&c| c != '\u{FFE3}') {
            let folded: String = std::iter::once(fold_width(c)).nfkc().collect();
            let expected: String = std::iter::once(c).nfkc().collect();
            assert_eq!(folded, expected, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn the_form_of_a_form_is_itself(text in "(?s).{0,24}|[ a\u{3000}\u{200b}\u{301}ｶﾞ가\u{1100}\u{1161}\u{344}\u{fe0f}]{0,12}") {
            let form = normal_form(&text).into_owned();
            prop_assert_eq!(normal_form(&form), form.as_str());
            prop_assert_eq!(form.trim(), form.as_str());
        }

        #[test]
        fn texts_equal_in_form_c_are_equal(text in "\\PC{0,24}") {
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(normal_form(&decomposed), normal_form(&text));
        }
    }
}

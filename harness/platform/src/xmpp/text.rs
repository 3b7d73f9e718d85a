//! What XML can carry.

/// The first character that XML 1.0 cannot carry, not even escaped (its production `Char`).
pub fn forbidden(text: &str) -> Option<char> {
    text.chars().find(|&character| {
        !matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_production_excludes_is_forbidden() {
        assert_eq!(forbidden("plain <&>\"' \t\r\n 新疆 🐻\u{7f}\u{85}\u{E000}\u{FFFD}\u{10FFFF}"), None);
        for bad in ['\0', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{1f}', '\u{FFFE}', '\u{FFFF}'] {
            assert_eq!(forbidden(&format!("a{bad}b")), Some(bad));
        }
    }
}

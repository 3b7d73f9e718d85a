//! Which script a text is written in.

pub use unicode_script::Script;
use unicode_script::UnicodeScript;

/// The script that most of a text's characters belong to; signs and digits that all scripts share do not count. `None` where there
/// is nothing else; of equals the one that comes first.
#[must_use]
pub fn script(text: &str) -> Option<Script> {
    let shared = |script: &Script| matches!(script, Script::Common | Script::Inherited | Script::Unknown);
    let mut counts: Vec<(Script, usize)> = Vec::new();
    for script in text.chars().map(|character| character.script()).filter(|script| !shared(script)) {
        match counts.iter_mut().find(|(it, _)| *it == script) {
            Some((_, count)) => *count += 1,
            None => counts.push((script, 1)),
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(script, _)| script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_characters_decide_and_of_equals_the_first() {
        assert_eq!(script("新疆 2016"), Some(Script::Han));
        assert_eq!(script("VPN翻墙"), Some(Script::Latin));
        assert_eq!(script("тест ab"), Some(Script::Cyrillic));
        assert_eq!(script("ab 新疆"), Some(Script::Latin));
        assert_eq!(script("8964 👍!"), None);
        assert_eq!(script(""), None);
    }
}

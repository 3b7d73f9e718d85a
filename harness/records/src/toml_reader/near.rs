//! "Did you mean …?"

/// Longer words are not compared: the time grows with the square of the length.
const LONGEST: usize = 64;
/// So many candidates are listed where none is near.
const SHOWN: usize = 24;

/// The candidate that is nearest to a misspelt word, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(word.chars().count()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A fix that names the nearest candidate, else all of them.
pub(crate) fn did_you_mean<'a>(word: &str, what: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, candidates.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut shown: Vec<String> = candidates.into_iter().take(SHOWN + 1).map(|candidate| format!("`{candidate}`")).collect();
    if shown.is_empty() {
        return format!("{what}: none");
    }
    if shown.len() > SHOWN {
        shown.truncate(SHOWN);
        shown.push("…".to_owned());
    }
    format!("{what}: {}", shown.join(", "))
}

/// Insertions, deletions and replacements that lead from one to the other; case and `_` for `-` count as near.
fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| -> Vec<char> { text.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect() };
    let (a, b) = (fold(a), fold(b));
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut current = Vec::with_capacity(b.len() + 1);
        current.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = previous[j] + usize::from(x != y);
            current.push(replaced.min(previous[j + 1] + 1).min(current[j] + 1));
        }
        previous = current;
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_recognised_and_another_word_is_not() {
        let keys = ["registered-in", "located-in", "id"];
        assert_eq!(nearest("registred-in", keys), Some("registered-in"));
        assert_eq!(nearest("Located_In", keys), Some("located-in"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(did_you_mean("colour", "keys here", keys), "keys here: `registered-in`, `located-in`, `id`");
    }
}

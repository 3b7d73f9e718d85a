//! The style of the page: `style.css`, which names colours, and what the names mean in the light and in the dark.

use std::fmt::Write as _;

use lacuna_model::Verdict;

use crate::colours::{Colour, DARK, NAMES, dark, of_verdict, of_verdict_in_the_dark};

const RULES: &str = include_str!("style.css");

/// The whole style. In the dark, figures too change their colours: a rule goes before the attributes of a picture.
pub(super) fn sheet() -> String {
    let names = |shade: fn(Colour) -> Colour| {
        let named = NAMES.map(|(name, colour)| format!("--{name}:{}", shade(colour))).join(";");
        format!(":root{{{named}}}\n")
    };
    let verdicts = |of: fn(Verdict) -> (Colour, Colour)| {
        let rule = |verdict: &Verdict| {
            let (ground, ink) = of(*verdict);
            format!(".{verdict}{{background:{ground};color:{ink}}}\n")
        };
        Verdict::ALL.iter().map(rule).collect::<String>()
    };
    let mut sheet = names(|colour| colour) + RULES + &verdicts(of_verdict);
    sheet += "@media screen and (prefers-color-scheme:dark){\n";
    sheet += &(names(dark) + &verdicts(of_verdict_in_the_dark));
    for (light, dark) in DARK {
        for attribute in ["fill", "stroke"] {
            let _ = writeln!(sheet, "svg[{attribute}=\"{light}\"],svg [{attribute}=\"{light}\"]{{{attribute}:{dark}}}");
        }
    }
    sheet + "}\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::colours::tests::contrast;

    /// The declarations of every rule, by property; groups of rules are taken apart.
    fn rules() -> Vec<(&'static str, BTreeMap<&'static str, &'static str>)> {
        let bodies = RULES.split('}').filter_map(|rule| rule.rsplit_once('{'));
        bodies
            .map(|(before, body)| {
                let selector = before.rsplit('{').next().unwrap().trim();
                (selector, body.split(';').filter_map(|it| it.split_once(':')).map(|(key, value)| (key.trim(), value)).collect())
            })
            .collect()
    }

    fn named(value: &str) -> Option<Colour> {
        let name = value.split_once("var(--")?.1.split_once(')')?.0;
        Some(NAMES.iter().find(|(it, _)| *it == name).unwrap_or_else(|| panic!("{name} is no colour")).1)
    }

    #[test]
    fn every_text_stands_out_from_every_ground_it_may_have() {
        let grounds_of_all = [named("var(--paper)").unwrap(), named("var(--pale)").unwrap()];
        let texts_of_all = ["ink", "quiet"].map(|name| named(&format!("var(--{name})")).unwrap());
        let mut pairs = 0;
        for (selector, rule) in rules() {
            let (text, ground) = (rule.get("color").and_then(|it| named(it)), rule.get("background").and_then(|it| named(it)));
            let (texts, grounds) = match (text, ground) {
                (None, None) => continue,
                (Some(text), Some(ground)) => (vec![text], vec![ground]),
                (Some(text), None) => (vec![text], grounds_of_all.to_vec()),
                (None, Some(ground)) => (texts_of_all.to_vec(), vec![ground]),
            };
            for (text, ground) in texts.iter().flat_map(|text| grounds.iter().map(move |ground| (*text, *ground))) {
                let ratios = [contrast(text, ground), contrast(dark(text), dark(ground))];
                assert!(ratios.iter().all(|ratio| *ratio >= 4.5), "{selector}: {text} on {ground}: {ratios:?}");
                pairs += 1;
            }
        }
        assert!(pairs > 20, "{pairs}");
    }

    #[test]
    fn colours_are_named_in_one_place() {
        assert!(!RULES.contains('#'), "style.css names a colour itself");
        for word in ["rgb", "hsl", ":white", ":black", "currentColor"] {
            assert!(!RULES.contains(word), "{word}");
        }
        for (property, value) in rules().into_iter().flat_map(|(_, rule)| rule) {
            if value.contains("var(--") {
                assert!(named(value).is_some(), "{property}:{value}");
            }
        }
    }
}

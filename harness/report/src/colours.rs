//! The colours: those of Okabe and Ito (Color Universal Design, 2008), which stay apart for the colour-blind, and greys.
//!
//! Nothing rests on colour alone: verdicts are words or letters, series have shapes, voids are hatched. In the dark, greys change places and
//! the darkest of the colours makes way for a lighter one of them; grounds of verdicts stay what they are.

use lacuna_model::Verdict;

/// `#rrggbb`
pub(crate) type Colour = &'static str;

pub(crate) const BLACK: Colour = "#000000";
pub(crate) const INK: Colour = "#1b1f23";
pub(crate) const QUIET: Colour = "#57606a";
pub(crate) const RULE: Colour = "#d5dadf";
pub(crate) const PAPER: Colour = "#ffffff";
pub(crate) const PALE: Colour = "#f1f4f6";
pub(crate) const ORANGE: Colour = "#e69f00";
pub(crate) const SKY: Colour = "#56b4e9";
/// Links.
const LINK: Colour = "#0b5cad";
/// Edges that must be seen.
const EDGE: Colour = "#79828c";
/// The ground of what is marked in a text, and of what lifts a block.
const MARKED: Colour = "#fff3c4";
const LIFTING: Colour = "#dceefb";
pub(crate) const YELLOW: Colour = "#f0e442";
pub(crate) const BLUE: Colour = "#0072b2";
pub(crate) const VERMILION: Colour = "#d55e00";
pub(crate) const PURPLE: Colour = "#cc79a7";

/// The ground of a verdict, and the text on it.
pub(crate) const fn of_verdict(verdict: Verdict) -> (Colour, Colour) {
    match verdict {
        Verdict::Delivered => (PALE, QUIET),
        Verdict::Delayed => (YELLOW, BLACK),
        Verdict::Dropped => (VERMILION, BLACK),
        Verdict::Refused => (ORANGE, BLACK),
        Verdict::Altered => (PURPLE, BLACK),
        Verdict::Retracted => (SKY, BLACK),
        Verdict::Inconsistent => (BLUE, PAPER),
        Verdict::Inconclusive => (PAPER, QUIET),
    }
}

/// A colour as it is in the dark.
pub(crate) const DARK: [(Colour, Colour); 12] = [
    (BLACK, "#ffffff"),
    (INK, "#e6e9ec"),
    (QUIET, "#a9b2bb"),
    (RULE, "#3b424a"),
    (PAPER, "#14171a"),
    (PALE, "#22272d"),
    (LINK, "#7cc0f5"),
    (EDGE, "#828b95"),
    (MARKED, "#46390b"),
    (LIFTING, "#173a52"),
    (BLUE, SKY),
    (VERMILION, "#e8701a"),
];

/// The names by which the style of the page calls them.
pub(crate) const NAMES: [(&str, Colour); 11] = [
    ("black", BLACK),
    ("ink", INK),
    ("quiet", QUIET),
    ("rule", RULE),
    ("paper", PAPER),
    ("pale", PALE),
    ("link", LINK),
    ("edge", EDGE),
    ("marked", MARKED),
    ("lifting", LIFTING),
    ("alarm", VERMILION),
];

/// The colour in the dark; itself where it does not change.
pub(crate) fn dark(colour: Colour) -> Colour {
    DARK.iter().find(|(light, _)| *light == colour).map_or(colour, |(_, dark)| dark)
}

/// The ground of a verdict and the text on it, in the dark: only greys change.
pub(crate) fn of_verdict_in_the_dark(verdict: Verdict) -> (Colour, Colour) {
    let (ground, ink) = of_verdict(verdict);
    if [PALE, PAPER].contains(&ground) { (dark(ground), dark(ink)) } else { (ground, ink) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.
    fn luminance(colour: Colour) -> f64 {
        let channel = |place: usize| {
            let value = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap_or_default()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    pub(crate) fn contrast(a: Colour, b: Colour) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn the_contrast_of_black_and_white_is_21() {
        assert!((contrast(BLACK, PAPER) - 21.0).abs() < 1e-9);
        assert!((contrast("#777777", PAPER) - 4.48).abs() < 0.005);
    }

    #[test]
    fn all_text_stands_out_from_its_ground() {
        for verdict in Verdict::ALL {
            for (ground, text) in [of_verdict(*verdict), of_verdict_in_the_dark(*verdict)] {
                assert!(contrast(ground, text) >= 4.5, "{verdict}: {}", contrast(ground, text));
            }
        }
        // In figures, and everywhere on the page.
        for (ground, text) in [(PAPER, INK), (PAPER, QUIET), (PALE, QUIET), (PALE, INK), (PAPER, LINK), (PALE, LINK)] {
            assert!(contrast(ground, text) >= 4.5, "{text} on {ground}: {}", contrast(ground, text));
            assert!(contrast(dark(ground), dark(text)) >= 4.5, "{text} on {ground}, dark");
        }
    }

    /// WCAG asks for 3 where a mark must be seen, against the paper and where two touch each other.
    #[test]
    fn marks_stand_out_from_the_paper_and_from_each_other() {
        for (a, b) in
            [(PAPER, BLUE), (PAPER, VERMILION), (PAPER, QUIET), (PAPER, BLACK), (PALE, QUIET), (PAPER, EDGE), (BLUE, BLACK)]
        {
            assert!(contrast(a, b) >= 3.0, "{a} and {b}: {}", contrast(a, b));
            let in_the_dark = contrast(dark(a), dark(b));
            // White and sky blue touch each other in bars alone, and a line is drawn between them.
            assert!(in_the_dark >= if (a, b) == (BLUE, BLACK) { 2.0 } else { 3.0 }, "{a} and {b}, dark: {in_the_dark}");
        }
    }

    #[test]
    fn a_name_is_that_of_one_colour() {
        for (place, (name, colour)) in NAMES.iter().enumerate() {
            assert!(NAMES[..place].iter().all(|(other, it)| other != name && it != colour), "{name}");
        }
    }
}

//! The colours: those of Okabe and Ito (Color Universal Design, 2008), which stay apart for the colour-blind, and greys.
//!
//! Nothing rests on colour alone: verdicts are words or letters, series have shapes, voids are hatched.

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.
    fn luminance(colour: Colour) -> f64 {
        let channel = |place: usize| {
            let value = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap_or_default()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: Colour, b: Colour) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn all_text_stands_out_from_its_ground() {
        for verdict in Verdict::ALL {
            let (ground, text) = of_verdict(*verdict);
            assert!(contrast(ground, text) >= 4.5, "{verdict}: {}", contrast(ground, text));
        }
        for (ground, text) in [(PAPER, INK), (PAPER, QUIET), (PALE, QUIET), (PALE, INK), (PAPER, BLUE)] {
            assert!(contrast(ground, text) >= 4.5, "{text} on {ground}: {}", contrast(ground, text));
        }
        // Marks on paper: WCAG asks for 3.
        for mark in [BLUE, VERMILION, QUIET] {
            assert!(contrast(PAPER, mark) >= 3.0, "{mark}: {}", contrast(PAPER, mark));
        }
    }
}

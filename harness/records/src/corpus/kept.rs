//! What a transform keeps of its original, by its name in `items.csv`.

use lacuna_model::GrayFormula;

/// What a filter can still find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The text can be read.
    pub text: bool,
    /// But not once the picture is made grey by this formula.
    pub hidden_from: Option<GrayFormula>,
    /// It looks alike.
    pub look: bool,
    /// The metadata are there.
    pub metadata: bool,
}

/// What a transform keeps; `None` for one that is not known.
pub fn kept(transform: &str) -> Option<Kept> {
    let nothing = Kept { text: false, hidden_from: None, look: false, metadata: false };
    let all = Kept { text: true, hidden_from: None, look: true, metadata: true };
    Some(match transform {
        "" | "fresh" => all,
        "only-text" => Kept { text: true, ..nothing },
        "only-look" => Kept { look: true, ..nothing },
        "only-metadata" => Kept { metadata: true, ..nothing },
        "only-filename" => nothing,
        other => {
            let formula = other.strip_prefix("only-text:")?;
            let hidden_from = GrayFormula::ALL.into_iter().find(|known| known.as_str() == formula)?;
            Kept { text: true, hidden_from: Some(hidden_from), ..nothing }
        }
    })
}

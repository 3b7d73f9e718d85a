//! What a transform keeps of its original, by its name in `items.csv`.

use lacuna_content::transform::{self, Spec};
use lacuna_model::GrayFormula;

/// What a filter can still find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The text can be read.
    pub text: bool,
    /// But not once the picture is made grey by this formula; the first of several.
    pub hidden_from: Option<GrayFormula>,
    /// It looks alike.
    pub look: bool,
    /// The metadata are there.
    pub metadata: bool,
}

/// What a transform keeps; `None` for one that is not known.
pub fn kept(transform: &str) -> Option<Kept> {
    if transform.is_empty() {
        return Some(Kept { text: true, hidden_from: None, look: true, metadata: true });
    }
    let kept = transform::kept(&transform.parse::<Spec>().ok()?);
    let hidden_from = GrayFormula::ALL.into_iter().find(|formula| kept.is_hidden_from(*formula));
    Some(Kept { text: kept.text, hidden_from, look: kept.look, metadata: kept.metadata })
}

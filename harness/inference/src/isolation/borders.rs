//! Where words begin and end.
//!
//! The dictionary segmenter of ICU4X: Chinese, Japanese, Thai, Khmer, Lao and Burmese by dictionary, every other script by the
//! rules of UAX 29.

use icu_segmenter::WordSegmenter;
use icu_segmenter::options::WordBreakInvariantOptions;

/// For each of the byte `offsets`, whether a word begins or ends there.
pub(crate) fn of(text: &str, offsets: &[u32]) -> Vec<bool> {
    let segmenter = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
    let mut breaks = segmenter.segment_str(text).peekable();
    let mut at_border = Vec::with_capacity(offsets.len());
    for offset in offsets {
        while breaks.next_if(|at| *at < *offset as usize).is_some() {}
        at_border.push(breaks.peek().is_some_and(|at| *at == *offset as usize));
    }
    at_border
}

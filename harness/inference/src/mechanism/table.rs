//! The decision table: which file asks what, when it is asked, and what each answer means. It is data, `decision.csv`; this reads it.

use std::sync::OnceLock;

use lacuna_model::GrayFormula;

/// The table as it is kept in the repository.
const WRITTEN: &str = include_str!("decision.csv");

/// By what a filter knows a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mechanism {
    /// An index of file hashes.
    HashIndex,
    /// The text in it.
    Text,
    /// What it looks like.
    Visual,
    /// Its metadata.
    Metadata,
    /// Its name.
    Filename,
}

impl Mechanism {
    /// Those that need a look at the content.
    pub const OF_CONTENT: [Self; 4] = [Self::Text, Self::Visual, Self::Metadata, Self::Filename];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HashIndex => "hash_index",
            Self::Text => "text",
            Self::Visual => "visual",
            Self::Metadata => "metadata",
            Self::Filename => "filename",
        }
    }
}

/// Something that an answer says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A filter acts on the original.
    Filtered,
    /// By an index of hashes.
    Index,
    /// By a look at this part of the content as the file passes.
    AtOnce(Mechanism),
    /// An analysis of this part of the content feeds the index.
    Fed(Mechanism),
    /// Nothing feeds the index: it knew the original's hash from the start.
    Unfed,
    /// The text is read once the picture was made grey by this formula.
    Gray(GrayFormula),
}

/// What an answer says of a subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// It suffices.
    Yes,
    /// It does not.
    No,
    /// One of those that are listed together does, but not which.
    Perhaps,
}

/// When a row is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// The original is filtered.
    Filtered,
    /// No index was seen to act.
    Unindexed,
    /// No part of the content was seen to suffice.
    Unexplained,
    /// The text suffices.
    Text,
    /// The grey formula is not known.
    Ungray,
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which file is sent: `original`, `same-md5`, or the name of a transform.
    pub cell: &'static str,
    /// What must be known before.
    pub needs: Vec<Need>,
    /// So many arrivals show that it passes.
    pub arrivals: usize,
    /// What it means if copies are dropped when they are sent for the first time.
    pub dropped_at_first: Vec<(Subject, Says)>,
    /// If a copy passes and the same bytes are dropped later.
    pub dropped_later: Vec<(Subject, Says)>,
    /// If it passes, also after the platform had time to look at it.
    pub delivered: Vec<(Subject, Says)>,
    /// Why.
    pub because: &'static str,
}

impl Row {
    /// Whether it makes a difference if it is dropped at first or only later.
    #[must_use]
    pub fn tells_when(&self) -> bool {
        self.dropped_at_first.iter().any(|(subject, _)| matches!(subject, Subject::AtOnce(_)))
    }

    /// Whether a drop of it is a claim, which takes evidence; else it only leads on to the next row.
    #[must_use]
    pub fn convicts(&self) -> bool {
        !self.dropped_at_first.is_empty()
    }
}

/// The rows, in the order in which they are asked.
pub fn table() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| WRITTEN.lines().skip(1).filter_map(row).collect())
}

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.splitn(7, ',');
    let mut next = || cells.next().unwrap_or_default();
    Some(Row {
        cell: Some(next()).filter(|cell| !cell.is_empty())?,
        needs: next().split_whitespace().filter_map(need).collect(),
        arrivals: next().parse().ok()?,
        dropped_at_first: next().split_whitespace().filter_map(answer).collect(),
        dropped_later: next().split_whitespace().filter_map(answer).collect(),
        delivered: next().split_whitespace().filter_map(answer).collect(),
        because: next(),
    })
}

fn need(word: &str) -> Option<Need> {
    Some(match word {
        "filtered" => Need::Filtered,
        "unindexed" => Need::Unindexed,
        "unexplained" => Need::Unexplained,
        "text" => Need::Text,
        "ungray" => Need::Ungray,
        _ => return None,
    })
}

fn answer(word: &str) -> Option<(Subject, Says)> {
    let (subject, says) = match word.char_indices().next_back() {
        Some((end, '+')) => (&word[..end], Says::Yes),
        Some((end, '-')) => (&word[..end], Says::No),
        Some((end, '?')) => (&word[..end], Says::Perhaps),
        _ => (word, Says::Yes),
    };
    let of = |name: &str| Mechanism::OF_CONTENT.into_iter().find(|it| it.as_str() == name);
    let subject = match subject.split_once('.') {
        Some(("at_once", name)) => Subject::AtOnce(of(name)?),
        Some(("fed", name)) => Subject::Fed(of(name)?),
        Some(("gray", name)) => Subject::Gray(GrayFormula::ALL.into_iter().find(|it| it.as_str() == name)?),
        _ => match subject {
            "filtered" => Subject::Filtered,
            "index" => Subject::Index,
            "unfed" => Subject::Unfed,
            _ => return None,
        },
    };
    Some((subject, says))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_understood() {
        assert_eq!(table().len(), WRITTEN.lines().count() - 1);
        for line in WRITTEN.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), 7, "{line}");
            assert!(cells[1].split_whitespace().all(|word| need(word).is_some()), "{line}");
            assert!(cells[3..6].iter().all(|cell| cell.split_whitespace().all(|word| answer(word).is_some())), "{line}");
        }
    }
}

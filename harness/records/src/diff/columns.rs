//! Which column of a log means what.

use std::fmt;

/// What a column of a log can mean.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Column {
    /// The text of the message. The only one that a log must have.
    Text,
    /// When it was sent or received.
    At,
    /// The platform's name for it.
    Id,
    /// Who sent it.
    Sender,
    /// Who received it.
    Recipient,
    /// Where it was exchanged.
    Venue,
}

impl Column {
    /// Every meaning.
    pub const ALL: [Self; 6] = [Self::Text, Self::At, Self::Id, Self::Sender, Self::Recipient, Self::Venue];

    /// As `--sent-columns` names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::At => "at",
            Self::Id => "id",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Venue => "venue",
        }
    }

    /// The headers by which it is recognised, the likeliest first; compared without case, `_`, `-` and blanks.
    const fn usual_headers(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["text", "body", "message", "content", "msg"],
            Self::At => &["at", "time", "timestamp", "datetime", "date", "sentat", "receivedat", "observedat"],
            Self::Id => &["id", "messageid", "platformmessageid", "msgid"],
            Self::Sender => &["sender", "from", "senderaccount"],
            Self::Recipient => &["recipient", "to", "recipientaccount"],
            Self::Venue => &["venue_id", "venue", "room", "chat"],
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Headers that a person gave; what is not given is guessed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ColumnNames(Vec<(Column, Option<String>)>);

impl ColumnNames {
    /// Reads `text=body,at=time`; `at=` says that the log has no such column.
    ///
    /// The error is a lower-case fragment that says what is wrong.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut names: Vec<(Column, Option<String>)> = Vec::new();
        for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let known = || Column::ALL.map(Column::as_str).join(", ");
            let (meaning, header) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not of the form column=header; columns are {}", known()))?;
            let column = Column::ALL
                .into_iter()
                .find(|column| column.as_str() == meaning.trim())
                .ok_or_else(|| format!("`{}` is no column; columns are {}", meaning.trim(), known()))?;
            if names.iter().any(|(other, _)| *other == column) {
                return Err(format!("`{column}` is given twice"));
            }
            names.push((column, Some(header.trim().to_owned()).filter(|header| !header.is_empty())));
        }
        Ok(Self(names))
    }
}

/// Where each column is in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Places([Option<usize>; 6]);

impl Places {
    /// Finds the columns among the headers; what is wrong comes as column, message and fix.
    pub fn find(headers: &[&str], names: &ColumnNames) -> (Self, Vec<(Column, String, String)>) {
        let mut places = Self::default();
        let mut wrong = Vec::new();
        let list = || headers.iter().map(|header| format!("`{}`", header.trim())).collect::<Vec<_>>().join(", ");
        for column in Column::ALL {
            let given = names.0.iter().find(|(other, _)| *other == column).map(|(_, header)| header);
            let found = match given {
                Some(None) => Vec::new(),
                Some(Some(name)) => {
                    let found = at(headers, |header| header.trim() == name);
                    if found.is_empty() {
                        wrong.push((column, format!("there is no column `{name}`"), format!("the headers are {}", list())));
                    }
                    found
                }
                None => {
                    let usual = column.usual_headers().iter();
                    usual
                        .map(|usual| at(headers, |header| key(header) == key(usual)))
                        .find(|found| !found.is_empty())
                        .unwrap_or_default()
                }
            };
            if let [first, second, ..] = found.as_slice() {
                let message = format!("columns {} and {} have the same header", first + 1, second + 1);
                wrong.push((column, message, "give each column a header of its own".to_owned()));
            }
            if column == Column::Text && found.is_empty() && !matches!(given, Some(Some(_))) {
                let fix = format!("name it with text=HEADER; the headers are {}", list());
                wrong.push((column, "no column is recognised as the text of the messages".to_owned(), fix));
            }
            places.0[column as usize] = found.first().copied();
        }
        (places, wrong)
    }

    pub fn get(&self, column: Column) -> Option<usize> {
        self.0[column as usize]
    }
}

fn at(headers: &[&str], is: impl Fn(&str) -> bool) -> Vec<usize> {
    headers.iter().enumerate().filter(|(_, header)| is(header)).map(|(place, _)| place).collect()
}

fn key(header: &str) -> String {
    header.chars().filter(|c| !matches!(c, '_' | '-') && !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[&str], names: &str) -> (Vec<Option<usize>>, usize) {
        let (places, wrong) = Places::find(headers, &ColumnNames::parse(names).unwrap_or_default());
        (places.0.to_vec(), wrong.len())
    }

    #[test]
    fn columns_are_guessed_by_their_headers() {
        let headers = ["Message ID", "From", "To", "Room", "Time", "Body"];
        assert_eq!(found(&headers, ""), (vec![Some(5), Some(4), Some(0), Some(1), Some(2), Some(3)], 0));
    }

    #[test]
    fn given_columns_win_and_may_be_given_away() {
        assert_eq!(found(&["text", "was", "time"], "text=was,at="), (vec![Some(1), None, None, None, None, None], 0));
        assert_eq!(found(&["text"], "text=body").1, 1);
        assert_eq!(found(&["a", "b"], "").1, 1);
        assert_eq!(found(&["text", "Text"], "").1, 1);
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        for list in ["text", "words=text", "text=a,text=b"] {
            assert!(ColumnNames::parse(list).is_err(), "{list}");
        }
    }
}

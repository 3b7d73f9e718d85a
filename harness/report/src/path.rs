//! The columns of a report: every arm with each of its recipients.

use lacuna_model::{AccountIx, ArmIx, Study};

use crate::text;

/// One arm and one of its recipients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Path {
    pub arm: ArmIx,
    pub recipient: AccountIx,
}

/// All of them, in the order of the study.
pub(crate) fn paths(study: &Study) -> Vec<Path> {
    let arms = (0u16..).map(ArmIx).zip(&study.arms);
    arms.flat_map(|(arm, it)| it.recipients.iter().map(move |recipient| Path { arm, recipient: *recipient })).collect()
}

impl Path {
    /// The arm's name, in a line of plain text.
    pub(crate) fn arm_line(self, study: &Study) -> String {
        text::name(study.arm(self.arm).id.as_str()).line()
    }

    /// `→ cn-a (CN)`
    pub(crate) fn recipient_line(self, study: &Study) -> String {
        let account = study.account(self.recipient);
        format!("→ {} ({})", text::name(account.id.as_str()).line(), account.registered_in)
    }
}

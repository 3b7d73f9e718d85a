//! What became of one probe for one recipient, and what is claimed of one item.

use serde::{Deserialize, Serialize};

macro_rules! vocabulary {
    ($(#[$doc:meta])* $type:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $type {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl $type {
            /// Every word of this vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As the files write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// What it means, as the data dictionary says it: the documentation of the variant.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($meaning),+).trim_ascii(),)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// What a send is for.
    Purpose {
        /// The first question about an item.
        Screen = "screen",
        /// A drop is asked again, alone and later.
        Confirm = "confirm",
        /// A control that proves a path alive.
        Bracket = "bracket",
        /// A send replaced because its fate stayed unknown or void.
        Retest = "retest",
        /// An item known to be dropped, in a pool of items that arrive: it must be dropped there too.
        Spike = "spike",
        /// An item known to be dropped, split by the separator: it must arrive.
        Calibration = "calibration",
        /// An item cleared in a pool, alone.
        Audit = "audit",
        /// A pool that was dropped although each part of it passes, again; or a combination without part of a component.
        Certificate = "certificate",
        /// Part of a text that is blocked: where in it the reason is.
        Cut = "cut",
        /// A combination in the reverse order.
        Order = "order",
        /// A text in which the combinations found so far are broken: whether there is more.
        Broken = "broken",
        /// A combination in a text in which it passes: what lifts the block.
        Lifting = "lifting",
        /// A file is shown to the platform for the first time.
        Exposure = "exposure",
    }
}

vocabulary! {
    /// How handing the message over ended, as `sent.csv` says it.
    SendState {
        /// The platform took it.
        Accepted = "accepted",
        /// The platform refused it and said so.
        Refused = "refused",
        /// The platform asked to slow down.
        RateLimited = "rate_limited",
        /// Certainly not sent.
        Failed = "failed",
        /// Sent or not, nobody knows.
        UnknownSubmission = "unknown_submission",
    }
}

vocabulary! {
    /// What became of one probe for one recipient.
    Outcome {
        /// It arrived as it was sent.
        Delivered = "delivered",
        /// It arrived after it had been counted as missing.
        DeliveredLate = "delivered_late",
        /// It arrived changed.
        Altered = "altered",
        /// It arrived and was taken away again.
        Retracted = "retracted",
        /// It is missing on a path that was alive around it.
        Dropped = "dropped",
        /// The platform refused it.
        Refused = "refused",
        /// The platform asked to slow down.
        RateLimited = "rate_limited",
        /// It was certainly not sent.
        SendFailed = "send_failed",
        /// Whether it was sent is not known.
        UnknownSubmission = "unknown_submission",
        /// It is missing, and nothing shows that the path was alive.
        Void = "void",
    }
}

vocabulary! {
    /// By what a received message was recognised.
    MatchedBy {
        /// The platform's own name for it.
        PlatformId = "platform_id",
        /// The same text.
        Exact = "exact",
        /// The same text in normal form, or a text that is recognisably made from it.
        Normalized = "normalized",
        /// A file that looks like the one that was sent, re-encoded.
        Perceptual = "perceptual",
    }
}

vocabulary! {
    /// How a text shows that it is blocked.
    Signal {
        /// It silently does not arrive.
        Dropped = "dropped",
        /// The platform refuses it and says so.
        Refused = "refused",
        /// It arrives changed.
        Altered = "altered",
        /// It arrives and is taken away again.
        Retracted = "retracted",
    }
}

impl Signal {
    /// The signal that an outcome is; `None` for what arrived as it was sent, and for what says nothing.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Dropped => Some(Self::Dropped),
            Outcome::Refused => Some(Self::Refused),
            Outcome::Altered => Some(Self::Altered),
            Outcome::Retracted => Some(Self::Retracted),
            Outcome::Delivered
            | Outcome::DeliveredLate
            | Outcome::RateLimited
            | Outcome::SendFailed
            | Outcome::UnknownSubmission
            | Outcome::Void => None,
        }
    }
}

vocabulary! {
    /// What is claimed of one item, on one arm, for one recipient.
    Verdict {
        /// It arrives.
        Delivered = "delivered",
        /// It arrives, late.
        Delayed = "delayed",
        /// It silently does not arrive.
        Dropped = "dropped",
        /// The platform refuses it and says so.
        Refused = "refused",
        /// It arrives changed.
        Altered = "altered",
        /// It arrives and is taken away again.
        Retracted = "retracted",
        /// Its sends end in ways that exclude one another.
        Inconsistent = "inconsistent",
        /// Nothing can be said; the reason says why.
        Inconclusive = "inconclusive",
    }
}

vocabulary! {
    /// Why a verdict is inconclusive.
    Reason {
        /// The controls of the path did not arrive.
        ControlFailed = "control_failed",
        /// The receiving session was not listening.
        ReceiverNotListening = "receiver_not_listening",
        /// The platform asked to slow down until the end.
        RateLimited = "rate_limited",
        /// An account is under suspicion of being sanctioned.
        AccountSuspect = "account_suspect",
        /// Sends were used up, or the run was stopped, before the evidence sufficed.
        BudgetExhausted = "budget_exhausted",
        /// Only sends of unknown fate.
        UnknownSubmission = "unknown_submission",
        /// It arrived in a pool, and alone it is under suspicion: something in the pool may have switched the filter off.
        NonMonotone = "non_monotone",
        /// An item known to be dropped arrived on this arm, so that its silence means nothing.
        CanaryDelivered = "canary_delivered",
        /// The platform encodes files anew, so that no hash survives it.
        Reencoded = "reencoded",
        /// The platform stores one file for an MD5, and delivers it for another.
        Deduplicated = "deduplicated",
        /// Known from an earlier run, and not to be asked again yet.
        NotDue = "not_due",
    }
}

vocabulary! {
    /// What became of a unit from one run to the next: one word of `changes.csv`.
    ChangeKind {
        /// It was delivered, and is blocked now.
        Blocked = "blocked",
        /// It was blocked, and is delivered now.
        Unblocked = "unblocked",
        /// It was interfered with in one way, and is in another now.
        ChangedKind = "changed_kind",
        /// The verdict is the same.
        Unchanged = "unchanged",
        /// The two runs differ in more than time.
        NotComparable = "not_comparable",
        /// One of the verdicts says nothing, or the two differ by less than chance can.
        Undetermined = "undetermined",
    }
}

vocabulary! {
    /// Why nothing is said of a change.
    ChangeReason {
        /// The item, the arm or the recipient is part of one run only.
        NotInBoth = "not_in_both",
        /// The item's message or file is another.
        ContentDiffers = "content_differs",
        /// The arm has other senders, another kind of venue, or its accounts are registered or located elsewhere.
        ArmDiffers = "arm_differs",
        /// An account uses another client.
        ClientDiffers = "client_differs",
        /// The platform is reached by another adapter.
        AdapterDiffers = "adapter_differs",
        /// Another engine decided what was asked.
        EngineDiffers = "engine_differs",
        /// One run sent items together and the other did not, and one of the verdicts rests on arrivals together alone: something sent with the item
        /// may have let it pass.
        PoolingDiffers = "pooling_differs",
        /// Messages of controls are lost at another rate.
        ControlLossDiffers = "control_loss_differs",
        /// The newer run left the item out, because a change was not likely yet.
        NotDue = "not_due",
        /// The newer verdict says nothing.
        Inconclusive = "inconclusive",
        /// No earlier verdict says anything.
        NothingEarlier = "nothing_earlier",
        /// One of the verdicts is `inconsistent`: a filter that acts on a part of the sends. How large a part is a question for `replicates`.
        Inconsistent = "inconsistent",
        /// The verdicts differ, but too few sends of the older run say that it was otherwise.
        TooLittleBefore = "too_little_before",
        /// The verdicts differ, but too few sends of the newer run say that it is otherwise.
        TooLittleNow = "too_little_now",
    }
}

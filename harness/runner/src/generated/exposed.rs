//! Pairs of files with one MD5 on a platform that looks at what is exchanged outside, or does not: what `design = "exposure"` is measured
//! on. There are no bytes: hashes follow from names.

use std::sync::Arc;

use lacuna_content::{md5_hex, sha256_hex};
use lacuna_model::policy::{Action, Condition, Enforces, FileHandling, FileRule, Finds, Network, Policy};
use lacuna_model::study::ExposureRule;
use lacuna_model::{
    Arm, ArmId, ArmIx, Channel, ChannelIx, ContentKind, DesignKind, Duration, FileFacts, FileFormat, Item, ItemFile, ItemId,
    ItemIx, Origin, Role, Shown, Study, Venue, VenueId, VenueIx, VenueKind,
};

use super::{Generated, item, only_censored};

/// What sensitive files say.
const TEXT: &str = "敏感";

/// Pairs, and a platform.
#[derive(Clone, PartialEq, Debug)]
pub struct ExposedFiles {
    /// From which losses and delays follow.
    pub seed: u64,
    /// Pairs of a sensitive and a harmless file.
    pub pairs: u32,
    /// Whether what is exchanged outside is analysed as well.
    pub surveilled: bool,
    /// How long the platform takes to learn a hash.
    pub learns_after: Duration,
    /// What it does to files.
    pub handling: FileHandling,
    /// After how long twins are sent.
    pub delays: Vec<Duration>,
    /// The network.
    pub network: Network,
}

impl ExposedFiles {
    /// A study of two accounts outside and two inside, and the policy of their platform.
    #[must_use]
    pub fn make(&self) -> (Study, Policy) {
        let generated = Generated {
            senders: 2,
            recipients: 2,
            prevalence: 0.0,
            network: self.network.clone(),
            ..Generated::new(self.seed, 0)
        };
        let (mut study, mut policy) = generated.make();
        let (outside, inside) = ([0u16, 1], [2u16, 3]);
        study.venues = [("outside", outside), ("inside", inside)]
            .map(|(name, members)| Venue {
                id: VenueId::new(format!("direct:{name}")),
                kind: VenueKind::Direct,
                members: members.map(lacuna_model::AccountIx).to_vec(),
                existing: None,
            })
            .to_vec();
        study.channels = (0..)
            .zip([outside, inside])
            .map(|(index, [sender, recipient])| Channel {
                arm: ArmIx(index),
                sender: lacuna_model::AccountIx(sender),
                venue: VenueIx(index),
                recipients: vec![lacuna_model::AccountIx(recipient)],
            })
            .collect();
        study.arms = (0..)
            .zip([("outside", outside), ("inside", inside)])
            .map(|(index, (name, [sender, recipient]))| Arm {
                id: ArmId::from(name),
                venue: VenueKind::Direct,
                senders: vec![lacuna_model::AccountIx(sender)],
                recipients: vec![lacuna_model::AccountIx(recipient)],
                channels: vec![ChannelIx(index)],
            })
            .collect();
        study.items = self.items();
        study.design = DesignKind::Exposure;
        study.exposure =
            Some(ExposureRule { outside: ArmIx(0), inside: ArmIx(1), delays: self.delays.clone(), max_pairs: self.pairs });
        policy.file_rules = vec![FileRule {
            id: "index".to_owned(),
            finds: Finds { text: vec![TEXT.to_owned()], ..Finds::default() },
            enforces: Enforces::Index,
            learns_after: self.learns_after,
            analyses: if self.surveilled { Condition::default() } else { only_censored() },
            when: only_censored(),
            action: Action::Drop,
            after: Duration::ZERO,
            enforcement: 1.0,
        }];
        policy.files = self.handling;
        (study, policy)
    }

    fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for number in 0..self.pairs {
            pair(&mut items, &format!("pair-{number}"), true);
        }
        for number in 0..4 {
            pair(&mut items, &format!("harmless-{number}"), false);
            items.push(file(&format!("single-{number}"), Role::Candidate, TEXT, None, None));
        }
        for number in 0..10 {
            items.push(file(&format!("control-{number}"), Role::Control, "天气很好", None, None));
        }
        items
    }
}

fn pair(items: &mut Vec<Item>, id: &str, sensitive: bool) {
    let shown = ItemIx(u32::try_from(items.len()).unwrap_or(u32::MAX));
    let md5: Arc<str> = md5_hex(id.as_bytes()).into();
    items.push(file(id, Role::Candidate, if sensitive { TEXT } else { "" }, Some(&md5), None));
    items.push(file(&format!("{id}-twin"), Role::Candidate, "", Some(&md5), Some(shown)));
}

fn file(id: &str, role: Role, text: &str, md5: Option<&Arc<str>>, same_md5_as: Option<ItemIx>) -> Item {
    let mut made = item("files", 0, role, String::new(), "file");
    made.id = ItemId::new(format!("files/{id}"));
    made.kind = ContentKind::Image;
    made.prior.expected_dropped = Some(text == TEXT);
    let facts = FileFacts {
        name: format!("{}.jpg", &sha256_hex(id.as_bytes())[..12]).into(),
        format: FileFormat::Jpeg,
        bytes: 1,
        md5: md5.map_or_else(|| md5_hex(id.as_bytes()).into(), Arc::clone),
        sha256: sha256_hex(id.as_bytes()).into(),
        width: None,
        height: None,
        perceptual_hash: None,
    };
    let shown = Shown { text: text.into(), ..Shown::default() };
    made.file = Some(Box::new(ItemFile { facts, shown, origin: Origin { same_md5_as, ..Origin::default() } }));
    made
}

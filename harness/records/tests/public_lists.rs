//! Imports every public list that lies beside the repository, or where `LACUNA_SHARED` says. Their licence keeps them out
//! of the repository, so without them this test has nothing to do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lacuna_records::corpus::{self, ImportOptions};

/// Path, rows, and how many rows have 1, 2, 3, … components, as counted from the lists by other means.
const LISTS: [(&str, usize, &[usize]); 10] = [
    ("wechat/one_app_two_systems/wechat_blocked_keywords.csv", 177, &[]),
    ("wechat/709crackdown/all-keywords.csv", 862, &[113, 148, 528, 69, 4]),
    ("wechat/lxb/liu_xiaobo_keywords_wechat.csv", 60, &[2, 36, 18, 4]),
    ("wechat/ncpc19/ncpc19_wechat.csv", 245, &[23, 58, 87, 73, 4]),
    ("qqmail/censored.txt", 173, &[101, 70, 2]),
    ("qqmail/extenuating.csv", 43, &[23, 16, 4]),
    ("june-4/june-4-censored-keywords.csv", 3_439, &[3_407, 20, 8, 4]),
    ("search/rules/baidu.txt", 1_684, &[1_119, 549, 16]),
    ("search/rules/weibo.txt", 8_853, &[7_342, 1_495, 6, 10]),
    ("search/rules/sogou.txt", 1_783, &[1_453, 320, 10]),
];

fn shared() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("LACUNA_SHARED").map_or_else(beside, PathBuf::from)
}

#[test]
fn every_list_becomes_a_clean_corpus_without_loss() {
    let lists = shared().join("data/citizenlab");
    if !lists.is_dir() {
        println!("left out: there are no lists at {}", lists.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (index, (path, rows, components)) in LISTS.into_iter().enumerate() {
        let options = ImportOptions {
            id: format!("list-{index}"),
            title: path.to_owned(),
            licence: "CC-BY-NC-SA-4.0".to_owned(),
            source: "https://github.com/citizenlab/chat-censorship".to_owned(),
            ..ImportOptions::default()
        };
        let out = folder.path().join(&options.id);
        let report = corpus::import(&lists.join(path), &out, &options).unwrap();
        let summary = format!(
            "{path}: {} rows, {} items, {} merged, {} refused, components {:?}, changes {:?}",
            report.rows,
            report.items,
            report.merged.len(),
            report.refused.len(),
            report.components,
            report.changes
        );
        println!("{summary}");
        assert_eq!(report.rows, rows, "{summary}");
        assert_eq!(report.refused, [], "{summary}");
        assert_eq!(report.items + report.merged.len(), rows, "{summary}");
        if components.is_empty() {
            // The list calls 80 rows combinations; two of them hold no blank.
            assert_eq!(report.components[&1], 97 + 2, "{summary}");
        } else {
            let expected: BTreeMap<usize, usize> = (1..).zip(components.iter().copied()).collect();
            assert_eq!(report.components, expected, "{summary}");
        }
        assert_eq!(corpus::lint(&out), [], "{summary}");
        let loaded = corpus::load(&out).0.expect("an import loads");
        assert_eq!(loaded.items.len(), report.items, "{summary}");
    }
}

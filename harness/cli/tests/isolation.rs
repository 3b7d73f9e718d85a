//! Texts whose blocked words are known: on a real XMPP server that filters by rules made from a policy, each planted combination must be
//! found, and nothing else. And the repository's own experiment on paragraphs, against the built-in simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

mod support;

use support::table;

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments")
}

/// Runs an experiment file; returns the folder of the run and what it said.
fn run(file: &Path, results: &Path) -> (PathBuf, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lacuna")).arg("run").arg(file).arg("--results").arg(results).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let experiment = std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let run = std::fs::read_dir(experiment).unwrap().next().unwrap().unwrap().path();
    (run, String::from_utf8(output.stdout).unwrap())
}

/// What was found in each text, for each recipient: a rule is its components and whether it is certified.
type Rules = BTreeMap<(String, String), BTreeSet<(Vec<String>, bool)>>;

fn rules(run: &Path) -> Rules {
    let mut components: BTreeMap<(String, String, String), (Vec<String>, bool)> = BTreeMap::new();
    for row in table(run, "rules") {
        let rule =
            components.entry((row["item_id"].clone(), row["recipient_account"].clone(), row["rule_id"].clone())).or_default();
        rule.0.push(row["component"].clone());
        rule.1 = row["certified"] == "true";
    }
    let mut rules: Rules = BTreeMap::new();
    for ((item, recipient, _), (mut components, certified)) in components {
        components.sort();
        rules.entry((item, recipient)).or_default().insert((components, certified));
    }
    rules
}

fn certified(all: &[&[&str]]) -> BTreeSet<(Vec<String>, bool)> {
    let sorted = |rule: &&[&str]| {
        let mut rule: Vec<String> = rule.iter().map(|component| (*component).to_owned()).collect();
        rule.sort();
        (rule, true)
    };
    all.iter().map(sorted).collect()
}

#[test]
fn the_paragraphs_are_cut_down_to_the_words_of_their_policy() {
    let results = tempfile::tempdir().unwrap();
    let (run, said) = run(&experiments().join("paragraphs.toml"), results.path());
    let camps: &[&str] = &["新疆", "再教育营"];
    let memory: &[&str] = &["六四", "烛光悼念"];
    let lawyer: &[&str] = &["维权律师", "失踪", "家属"];
    let expected: [(&str, &[&[&str]]); 4] =
        [("n001", &[camps]), ("n002", &[memory]), ("n003", &[lawyer]), ("n004", &[camps, lawyer])];
    let key = |item: &str| (format!("paragraphs-zh/{item}"), "cn-a".to_owned());
    let expected: Rules = expected.iter().map(|(item, rules)| (key(item), certified(rules))).collect();
    assert_eq!(rules(&run), expected);
    for row in table(&run, "verdicts") {
        let is_blocked = expected.contains_key(&(row["item_id"].clone(), row["recipient_account"].clone()));
        assert_eq!(row["verdict"], if is_blocked { "dropped" } else { "delivered" }, "{row:?}");
    }
    for shown in ["[新疆]", "[再教育营]", "[失踪]", "certified", "searched with"] {
        assert!(said.contains(shown), "{shown} is missing in:\n{said}");
    }
}

#[cfg(feature = "servers")]
mod on_a_real_server {
    use std::fmt::Write as _;
    use std::fs;

    use super::*;

    const TIMES: [&str; 5] = ["清晨", "上午", "中午", "傍晚", "周末"];
    const PEOPLE: [&str; 7] = ["老师", "邻居", "店主", "司机", "同学", "画家", "园丁"];
    const PLACES: [&str; 6] = ["图书馆", "菜市场", "车站", "公园", "码头", "山脚下"];
    const DEEDS: [&str; 8] = ["看书", "买水果", "等朋友", "散步", "钓鱼", "写生", "修自行车", "晒太阳"];

    /// What is planted: words that nobody writes, one to three of them a rule. Some stand in several rules.
    const PLANTED: [&[&str]; 20] = [
        &["玻璃鲸鱼"],
        &["纸月亮", "铁葡萄"],
        &["蓝色算盘", "会飞的井", "盐做的鼓"],
        &["倒走的钟楼"],
        &["纸月亮", "雪里的船"],
        &["棉花火车", "木头闪电"],
        &["三脚凤梨", "无声喇叭", "圆形雨"],
        &["银色沙漏鱼"],
        &["铁葡萄", "石头云"],
        &["会唱歌的砖", "七月雪糕塔"],
        &["透明骆驼"],
        &["竹编月台", "绿色闹钟", "陶土风筝"],
        &["静止的河马", "雪里的船"],
        &["黄昏冰箱"],
        &["羽毛铁轨", "倒影工厂"],
        &["草莓信号塔"],
        &["折叠沙漠", "纽扣星球"],
        &["水做的梯子", "黑白彩虹", "漂浮灯笼鱼"],
        &["午夜向日葵", "旋转井盖"],
        &["橡皮珊瑚"],
    ];

    /// A neutral text of fifteen sentences, with the words of a rule in the middle of some of them.
    fn text(number: usize, planted: &[&str]) -> String {
        let mut text = String::new();
        for sentence in 0..15 {
            let turn = number * 31 + sentence * 7;
            let pick = |words: &[&'static str], step: usize| words[(turn / step + turn * step) % words.len()];
            let word = planted.iter().enumerate().find(|(nth, _)| sentence == (number + 4 * nth) % 13 + 1).map(|(_, word)| word);
            let _ = write!(text, "{}{}在{}", pick(&TIMES, 1), pick(&PEOPLE, 2), pick(&PLACES, 3));
            if let Some(word) = word {
                let _ = write!(text, "看见{word}以后");
            }
            let _ = write!(text, "{}。", pick(&DEEDS, 5));
        }
        text
    }

    fn write_study(folder: &Path) {
        let corpus = folder.join("texts");
        fs::create_dir(&corpus).unwrap();
        fs::write(
            corpus.join("corpus.toml"),
            "id = \"texts\"\ntitle = \"Planted texts\"\nversion = \"1\"\nlicence = \"CC0-1.0\"\nsource = \"made for a test\"\n\
             citation = \"none\"\nlanguage = \"zh-Hans\"\ncontent-warning = \"\"\n",
        )
        .unwrap();
        let mut writer = csv::Writer::from_path(corpus.join("items.csv")).unwrap();
        writer.write_record(["item_id", "kind", "text"]).unwrap();
        let mut policy = "schema = 1\nname = \"planted\"\n".to_owned();
        for (number, planted) in PLANTED.iter().enumerate() {
            writer.write_record([&format!("t{number:02}"), "text", &text(number, planted)]).unwrap();
            let _ = write!(policy, "[[rule]]\nid = \"r{number:02}\"\nall = {planted:?}\naction = \"drop\"\n");
        }
        writer.flush().unwrap();
        fs::write(folder.join("policy.toml"), policy).unwrap();
        let experiments = experiments().canonicalize().unwrap();
        let experiments = experiments.to_str().unwrap();
        let accounts = [("cn-a", "CN"), ("us-a", "US"), ("us-b", "US")].map(|(id, region)| {
            let host = region.to_lowercase();
            format!("[[account]]\nid = \"{id}\"\nregistered-in = \"{region}\"\nlocated-in = \"{region}\"\naddress = \"{id}@{host}.test\"\n")
        });
        let experiment = format!(
            "schema = 1\nname = \"planted\"\ndesign = \"isolate\"\nseed = 7\n\
             [platform]\nadapter = \"xmpp\"\nlaunch = \"{experiments}/servers/prosody\"\npolicy = \"policy.toml\"\n{}\
             [[arm]]\nid = \"us-to-cn\"\nsenders = [\"us-a\", \"us-b\"]\nrecipients = [\"cn-a\"]\nvenue = \"direct\"\n\
             [corpora]\ncandidates = [\"texts\"]\ncontrols = [\"{experiments}/../corpora/controls-zh\"]\n\
             [watch]\ngrace = \"500ms\"\nlate = \"1s\"\n\
             [safety]\nmax-messages = 20000\nmax-messages-per-account-per-day = 1000000\n",
            accounts.concat()
        );
        fs::write(folder.join("planted.toml"), experiment).unwrap();
    }

    #[test]
    fn twenty_planted_conjunctions_are_isolated_without_error() {
        let folder = tempfile::tempdir().unwrap();
        write_study(folder.path());
        let (run, said) = run(&folder.path().join("planted.toml"), &folder.path().join("results"));
        let key = |number: usize| (format!("texts/t{number:02}"), "cn-a".to_owned());
        let expected: Rules = PLANTED.iter().enumerate().map(|(number, rule)| (key(number), certified(&[*rule]))).collect();
        assert_eq!(rules(&run), expected, "{said}");
        let sent = table(&run, "sent");
        let excerpts = sent.iter().filter(|row| !row["fragments"].is_empty()).count();
        let controls = sent.iter().filter(|row| row["role"] == "control").count();
        println!("{} rules: {excerpts} messages about parts of texts, {controls} controls, {} in all", PLANTED.len(), sent.len());
    }
}

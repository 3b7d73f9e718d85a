//! What is sent in tests that run whole experiments.

use std::fs;
use std::path::{Path, PathBuf};

use super::corpora::write_corpus;
use super::file;
use super::pictures::picture;

/// On a simulator with `policy.toml`, `intl-a` in Canada writes to `cn-a` in China. What is sent stands beside it, in `candidates` and
/// `controls`; `more` are further tables.
pub fn pair(name: &str, design: &str, more: &str) -> String {
    format!(
        r#"
schema = 1
name = "{name}"
question = "What becomes of these?"
design = "{design}"
seed = 11
[platform]
adapter = "simulator"
policy = "policy.toml"
[[account]]
id = "intl-a"
registered-in = "CA"
located-in = "CA"
[[account]]
id = "cn-a"
registered-in = "CN"
located-in = "CN"
[[arm]]
id = "to-cn"
senders = ["intl-a"]
recipients = ["cn-a"]
venue = "direct"
[corpora]
candidates = ["candidates"]
controls = ["controls"]
[watch]
grace = "100ms"
late = "200ms"
{more}
"#
    )
}

/// A platform that drops files with this in their names.
pub fn drops_names(part: &str) -> String {
    format!(
        r#"
schema = 1
name = "by-name"
[[file-rule]]
id = "by-name"
filename = ["{part}"]
enforces = "at-once"
[network]
delay-median = "2ms"
"#
    )
}

/// Two pictures, a copy of the first, and a twin of it: what asking by what files are filtered takes at least.
pub const TWO_PICTURES: [&str; 4] = ["one,,,", "two,,,", "fresh,one,fresh,", "twin,,,one"];

/// What they are sent among.
pub const SIX_PICTURES: [&str; 6] = ["c0,,,", "c1,,,", "c2,,,", "c3,,,", "c4,,,", "c5,,,"];

/// Writes a corpus of pictures, drawn from the numbers from `first` on; a row is an id, `base`, `transform` and `twin_of`.
pub fn write_pictures(folder: &Path, id: &str, first: u64, rows: &[&str]) {
    let corpus = folder.join(id);
    if !corpus.exists() {
        write_corpus(folder, id, &[]);
        fs::create_dir(corpus.join("files")).unwrap();
    }
    let mut table = vec!["item_id,kind,text,file,base,transform,twin_of".to_owned()];
    for (number, row) in (first..).zip(rows) {
        let (item, origin) = row.split_once(',').unwrap();
        fs::write(corpus.join(format!("files/{item}.png")), picture(number)).unwrap();
        table.push(format!("{item},image,,files/{item}.png,{origin}"));
    }
    fs::write(corpus.join("items.csv"), table.join("\n")).unwrap();
}

/// Texts that break what reads tables carelessly: line breaks, quotes, tabs, direction marks, formulas, words for missing values, markup.
const HOSTILE: [&str; 18] = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\ttab",
    "a\r\nb",
    "a\rb",
    "quote \" and \"\"",
    "comma, semicolon; pipe|",
    "NA",
    "null",
    "NaN",
    "true",
    "1e999",
    "\u{202e}drawkcab\u{2066}",
    "\u{feff}mark",
    "<script>alert(1)</script>",
    "</style><p id=\"answer\" onclick='x'><!-- & &lt; &#0;",
];

/// Writes the tests' small experiment with hostile texts and categories, and gives its file.
pub fn hostile_experiment(folder: &Path) -> PathBuf {
    let corpus = folder.join("hostile");
    fs::create_dir(&corpus).unwrap();
    let words = fs::read_to_string(file("corpora/words/corpus.toml")).unwrap();
    // A plus is a plus here.
    let head: Vec<&str> = words.lines().filter(|line| !line.starts_with("component-joiner")).collect();
    fs::write(corpus.join("corpus.toml"), head.join("\n").replace("id = \"words\"", "id = \"hostile\"")).unwrap();
    let mut writer = csv::Writer::from_path(corpus.join("items.csv")).unwrap();
    writer.write_record(["item_id", "kind", "text", "category"]).unwrap();
    for (number, text) in (1..).zip(HOSTILE) {
        let category = ["=category", "<b>category</b>", "category"][number % 3];
        writer.write_record([&format!("h{number}"), "text", text, category]).unwrap();
    }
    writer.flush().unwrap();
    let experiment = fs::read_to_string(file("experiments/small.toml")).unwrap();
    let experiment = experiment
        .replace("../corpora/words", "hostile")
        .replace("../corpora/weather", file("corpora/weather").to_str().unwrap())
        .replace("../policies/fast.toml", file("policies/fast.toml").to_str().unwrap());
    let path = folder.join("hostile.toml");
    fs::write(&path, experiment + "\n[decision]\npooling = \"off\"\n").unwrap();
    path
}

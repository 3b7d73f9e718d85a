//! Importing lists with the quirks of those that are around. All texts are made up.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use lacuna_records::corpus::{self, Change, Corpus, ImportError, ImportOptions, ImportReport, JoinerChoice};
use proptest::prelude::*;
use tempfile::TempDir;

fn options() -> ImportOptions {
    ImportOptions {
        id: "imported".to_owned(),
        title: "A \"list\" with a \\".to_owned(),
        licence: "CC0-1.0".to_owned(),
        ..ImportOptions::default()
    }
}

struct Case {
    folder: TempDir,
    list: PathBuf,
}

impl Case {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join(name);
        fs::write(&list, bytes).unwrap();
        Self { folder, list }
    }

    fn import(&self, options: &ImportOptions) -> Result<(ImportReport, Corpus), ImportError> {
        let out = self.folder.path().join("out");
        let report = corpus::import(&self.list, &out, options)?;
        assert_eq!(corpus::lint(&out), [], "an import is clean");
        assert_eq!(report.rows, report.items + report.merged.len() + report.refused.len(), "no row is lost");
        let corpus = corpus::load(&out).0.expect("an import loads");
        assert_eq!(corpus.items.len(), report.items);
        Ok((report, corpus))
    }
}

fn import(name: &str, text: &str) -> (ImportReport, Corpus) {
    Case::new(name, text.as_bytes()).import(&options()).unwrap()
}

fn texts(corpus: &Corpus) -> Vec<&str> {
    corpus.items.iter().map(|item| item.text.as_str()).collect()
}

#[test]
fn a_table_with_trailing_blanks_in_its_header_combo_rows_and_an_empty_last_column() {
    let (report, corpus) = import(
        "list.csv",
        "Date Tested,Keyword,Theme,Category,Keyword Type ,Language,Reference,\r\n\
         07/2016,红 苹果,Fruit,Apples ,combo,simplified Chinese,https://example.org/a,\r\n\
         2016-8-3,红 苹果,Fruit,Apples,phrase,traditional Chinese,page 3,extra\r\n\
         2016-08-30,梨,Fruit,,combo,Klingon,,\r\n",
    );
    assert_eq!(texts(&corpus), ["红+苹果", "红 苹果", "梨"]);
    assert_eq!(report.components, [(1, 2), (2, 1)].into());
    let [combination, phrase, single] = &corpus.items[..] else { panic!("three items") };
    assert_eq!((combination.language.as_str(), combination.category.as_str()), ("zh-Hans", "Apples"));
    assert_eq!((combination.source_url.as_str(), combination.date_added.as_str()), ("https://example.org/a", ""));
    assert_eq!(combination.notes, "as listed: `红 苹果` | Date Tested: 07/2016 | Theme: Fruit | Keyword Type: combo");
    assert_eq!((phrase.date_added.as_str(), phrase.language.as_str(), phrase.source_url.as_str()), ("2016-08-03", "zh-Hant", ""));
    assert_eq!(phrase.notes, "Reference: page 3 | Theme: Fruit | Keyword Type: phrase | column 8: extra");
    assert_eq!((single.language.as_str(), single.category.as_str()), ("und", "uncategorised"));
    assert!(single.notes.contains("Language: Klingon"));
    for change in [Change::JoinerRewritten, Change::SingleCombination, Change::LanguageUnknown, Change::DateUnclear] {
        assert_eq!(report.changes.get(&change), Some(&1), "{}", change.as_str());
    }
}

#[test]
fn plain_text_with_joiners_wildcards_and_repeats() {
    let (report, corpus) = import("list.txt", "\u{FEFF}红 + 苹果\n\n*梨*\n梨\nＡ梨\nA梨 \n甲+\n桃\u{200B}子\n");
    assert_eq!(texts(&corpus), ["红+苹果", "梨", "Ａ梨", "桃子"]);
    assert!(report.byte_order_mark && report.text_column.is_none());
    assert_eq!(report.merged.iter().map(|problem| problem.location.line).collect::<Vec<_>>(), [4, 6]);
    assert_eq!(report.refused.iter().map(|problem| problem.location.line).collect::<Vec<_>>(), [7]);
    assert_eq!(corpus.items[1].notes, "as listed: `*梨*` | line 4 again: `梨`");
    assert_eq!(corpus.items[3].notes, "as listed: `桃<U+200B>子`");
}

#[test]
fn lists_in_cells_and_dates_with_and_without_a_time() {
    let (report, corpus) = import(
        "list.csv",
        "word,clients,detected_on\n梨,Client A; Client B,2020-02-14 9:02:36\n桃,\"Client A;\tClient C\",2020-02-15\n",
    );
    assert_eq!(report.text_column.as_deref(), Some("word"));
    assert_eq!(corpus.items[0].notes, "detected_on: 2020-02-14 9:02:36 | clients: Client A; Client B");
    assert_eq!(corpus.items[0].date_added, "2020-02-14");
    assert_eq!(corpus.items[1].notes, "clients: Client A; Client C");
}

#[test]
fn day_and_month_are_told_apart_by_the_whole_list_or_not_at_all() {
    let days = |rows: &str| {
        let (_, corpus) = import("list.csv", &format!("date_tested,keyword\n{rows}"));
        corpus.items.into_iter().map(|item| (item.date_added, item.notes)).collect::<Vec<_>>()
    };
    assert_eq!(days("7/1/2016,梨\n1/25/2017,桃\n")[0], ("2016-07-01".to_owned(), String::new()));
    assert_eq!(days("7/1/2016,梨\n25/1/2017,桃\n")[0], ("2016-01-07".to_owned(), String::new()));
    assert_eq!(days("7/1/2016,梨\n")[0], (String::new(), "date_tested: 7/1/2016".to_owned()));
}

#[test]
fn encodings_are_found_or_named() {
    for (encoding, expected) in [(encoding_rs::GB18030, "gb18030"), (encoding_rs::GBK, "gb18030"), (encoding_rs::UTF_8, "UTF-8")]
    {
        let (bytes, _, _) = encoding.encode("红+苹果\n你好，世界\n");
        let (report, corpus) = Case::new("list.txt", &bytes).import(&options()).unwrap();
        assert_eq!((report.encoding.as_str(), texts(&corpus)), (expected, vec!["红+苹果", "你好，世界"]));
    }
    let (big5, _, _) = encoding_rs::BIG5.encode("紅+蘋果\n");
    let named = ImportOptions { encoding: Some("big5".to_owned()), ..options() };
    let (report, corpus) = Case::new("list.txt", &big5).import(&named).unwrap();
    assert_eq!((report.encoding.as_str(), texts(&corpus)), ("Big5", vec!["紅+蘋果"]));
    let utf16: Vec<u8> = "\u{FEFF}红+苹果\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (report, corpus) = Case::new("list.txt", &utf16).import(&options()).unwrap();
    assert_eq!((report.encoding.as_str(), texts(&corpus)), ("UTF-16LE", vec!["红+苹果"]));
    // Under a wrong name the broken rows are refused, the others taken.
    let (gb, _, _) = encoding_rs::GB18030.encode("红\nabc\n");
    let wrong = ImportOptions { encoding: Some("utf-8".to_owned()), ..options() };
    let (report, corpus) = Case::new("list.txt", &gb).import(&wrong).unwrap();
    assert_eq!((texts(&corpus), report.refused[0].location.line), (vec!["abc"], 1));
}

#[test]
fn rows_that_cannot_be_taken_are_reported_with_their_lines() {
    let (report, corpus) = import(
        "list.csv",
        "keyword,translation\n梨,pear\n,nothing\n桃,\"peach,\nfuzzy\"\n杏,apricot,1\n\"李,plum\n柿,persimmon\n",
    );
    assert_eq!(texts(&corpus), ["梨", "桃"]);
    let refused: Vec<_> = report.refused.iter().map(|problem| (problem.location.line, problem.message.as_str())).collect();
    assert_eq!(
        refused,
        [(3, "is empty"), (6, "has more or fewer cells than the header"), (7, "a quote is opened and never closed")]
    );
}

#[test]
fn a_longer_list_keeps_the_ids() {
    let ids = |text: &str| import("list.txt", text).1.items.into_iter().map(|item| (item.text, item.id)).collect::<Vec<_>>();
    let short = ids("梨\n红+苹果\n");
    let long = ids("桃\n红 + 苹果\n*梨*\n杏\n");
    assert!(short.iter().all(|item| long.contains(item)));
}

#[test]
fn without_a_joiner_a_plus_is_a_plus() {
    let options = ImportOptions { joiner: JoinerChoice::None, language: Some("en".to_owned()), ..options() };
    let (_, corpus) = Case::new("list.txt", b"C++\na+b\n").import(&options).unwrap();
    assert_eq!((corpus.component_joiner.as_deref(), corpus.language.as_str()), (None, "en"));
    assert_eq!(corpus.items[1].components, ["a+b"]);
}

#[test]
fn nothing_is_overwritten_and_wrong_options_are_refused() {
    let case = Case::new("list.csv", "单词,翻译\n梨,pear\n".as_bytes());
    let fails = |options: &ImportOptions| {
        case.import(options).unwrap_err().to_string().replace(&format!("{}/", case.folder.path().display()), "")
    };
    assert_eq!(fails(&options()), "list.csv: no column is known to hold keywords; name one of: 单词, 翻译");
    let wrong = |change: fn(&mut ImportOptions)| {
        let mut options = ImportOptions { text_column: Some("单词".to_owned()), ..options() };
        change(&mut options);
        options
    };
    let fix = "use small letters, digits and hyphens, at most 64";
    assert_eq!(fails(&wrong(|options| options.id = "A B".to_owned())), format!("id: `A B` is not possible ({fix})"));
    let expected = "text-column: `x` is not possible (the columns are: 单词, 翻译)";
    assert_eq!(fails(&wrong(|options| options.text_column = Some("x".to_owned()))), expected);
    assert!(fails(&wrong(|options| options.encoding = Some("x".to_owned()))).starts_with("encoding: `x` is not possible"));
    let plain = Case::new("list.txt", b"a\n").import(&wrong(|_| ())).unwrap_err().to_string();
    assert_eq!(plain, "text-column: `单词` is not possible (plain text has no columns; name a table .csv or .tsv)");
    let wide = Case::new("list.csv", ",".repeat(2_000).as_bytes()).import(&options()).unwrap_err().to_string();
    assert!(wide.ends_with("list.csv: has more than 1000 columns"), "{wide}");
    case.import(&wrong(|_| ())).unwrap();
    assert_eq!(fails(&wrong(|_| ())), "out exists already; an import never overwrites (choose another folder)");
}

#[test]
fn a_list_that_repeats_itself_without_end_is_refused_and_one_item_is_not_overloaded() {
    let case = Case::new("list.txt", "梨\n".repeat(100_002).as_bytes());
    let error = case.import(&options()).unwrap_err().to_string();
    assert!(error.contains("has more than 100000 rows that repeat others"), "{error}");
    let long = format!("keyword,translation\n{}", format!("梨,{}\n", "x".repeat(400_000)).repeat(4));
    let (report, corpus) = import("list.csv", &long);
    assert_eq!((corpus.items.len(), report.merged.len(), report.refused.len()), (1, 1, 2));
}

#[test]
fn private_use_characters_do_not_make_utf8_another_encoding() {
    let (report, corpus) = import("list.txt", "梨\u{E000}\n");
    assert_eq!((report.encoding.as_str(), texts(&corpus)), ("UTF-8", vec!["梨\u{E000}"]));
}

proptest! {
    // Each case writes and syncs up to four corpora.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a list holds, an import that succeeds is clean, loads, and accounts for every row.
    #[test]
    fn hostile_lists_give_clean_corpora_or_errors(
        lines in proptest::collection::vec("[甲乙a+*;, \"\u{200B}\u{200D}\u{202E}\u{A0}\u{3000}می🔬\t\r\u{7}０]{0,8}", 0..12),
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        joiner in prop_oneof![
            Just(JoinerChoice::Auto),
            Just(JoinerChoice::None),
            ";| |甲".prop_map(JoinerChoice::Given),
        ],
    ) {
        let options = ImportOptions { joiner, ..options() };
        let plain = lines.join("\n");
        let table = format!("keyword,language,date,note,Keyword Type \n{}", lines.join(",en,7/1/2016,\u{200B}x,combo\n"));
        for (name, bytes) in [("list.txt", plain.as_bytes()), ("list.csv", table.as_bytes()), ("list.txt", &bytes[..]), ("list.csv", &bytes[..])] {
            // The checks stand in `import`; an error is an answer too.
            let _ = Case::new(name, bytes).import(&options);
        }
    }
}

//! The journal: what is written is what is read, and nothing is changed, lost or repaired in silence.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::fmt::Write as _;
use std::path::Path;

use lacuna_model::{
    ArmIx, Deadline, Decision, Duration, Earlier, Entry, EntrySequence, Excerpt, Fact, ItemIx, Probe, Role, RunId, SearchIx,
    Study, Timestamp,
};
use lacuna_records::journal::{
    Encoder, FileStorage, JOURNAL_VERSION, JournalError, LineProblem, Reader, Storage, VolatileStorage, recover, scan,
};
use proptest::prelude::*;
use support::texts::{header_of, isolating};
use support::{
    START, entries, epoch, example_entries, header, header_with_build, journal, journal_of, planned, resumed_entries, study,
};

const FILE: &str = "journal.jsonl";
const GOLDEN_1: &[u8] = include_bytes!("golden/journal-v1.jsonl");
const GOLDEN_2: &[u8] = include_bytes!("golden/journal-v2.jsonl");
/// A run with a search in it.
const GOLDEN: &[u8] = include_bytes!("golden/journal-v3.jsonl");
/// One about a file, without a seal.
const GOLDEN_4: &[u8] = include_bytes!("golden/journal-v4.jsonl");
/// One that knows what an earlier run found.
const GOLDEN_5: &[u8] = include_bytes!("golden/journal-v5.jsonl");
/// One that says with what it was made, and by what it was resumed.
const GOLDEN_6: &[u8] = include_bytes!("golden/journal-v6.jsonl");

type Lines = Vec<(EntrySequence, Timestamp, Entry)>;

fn read(bytes: &[u8]) -> Result<Lines, JournalError> {
    Reader::new(Path::new(FILE), bytes)?.collect()
}

fn problem(bytes: &[u8]) -> (u64, LineProblem) {
    match read(bytes) {
        Err(JournalError::Line { line, problem, .. }) => (line, problem),
        other => panic!("{other:?}"),
    }
}

/// What the search of the golden run looks into, and what is blocked in it.
const TEXT: &str = "据报道，新疆有再教育营。";

/// The example, with the hash chain made anew after `change` was applied to the text of each line.
fn forged(change: impl Fn(&str) -> String) -> Vec<u8> {
    forged_from(journal(&example_entries(), Some(0)), change)
}

fn forged_from(journal: Vec<u8>, change: impl Fn(&str) -> String) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut hash = vec![0; 16];
    let mut out = String::new();
    for line in String::from_utf8(journal).unwrap().lines() {
        let object = change(&format!("{}}}", &line[..line.rfind(",\"hash\":").unwrap()]));
        hash = Sha256::new().chain_update(&hash).chain_update(&object).finalize()[..16].to_vec();
        let digits = u128::from_be_bytes(hash.clone().try_into().unwrap());
        writeln!(out, "{},\"hash\":\"{digits:032x}\"}}", &object[..object.len() - 1]).unwrap();
    }
    out.into_bytes()
}

#[test]
fn versions_1_and_2_stay_readable() {
    for golden in [GOLDEN_1, GOLDEN_2] {
        let mut reader = Reader::new(Path::new(FILE), golden).unwrap();
        assert_eq!(reader.header(), &header());
        let lines: Lines = reader.by_ref().map(Result::unwrap).collect();
        assert_eq!(lines.into_iter().map(|(.., entry)| entry).collect::<Vec<_>>(), example_entries());
        assert_eq!(reader.seal().map(|seal| seal.exit_code), Some(0));
    }
}

#[test]
fn version_3_stays_readable() {
    let mut reader = Reader::new(Path::new(FILE), GOLDEN).unwrap();
    assert_eq!(reader.header(), &header_of(isolating(TEXT, 40)));
    let (mut encoder, mut bytes) = Encoder::new(reader.header());
    let lines: Lines = reader.by_ref().map(Result::unwrap).collect();
    let decisions = || lines.iter().map(|(.., entry)| entry);
    assert!(decisions().any(|entry| matches!(entry, Entry::Decision(Decision::SearchBegun(_)))));
    assert!(decisions().any(|it| matches!(it, Entry::Decision(Decision::ProbePlanned(Probe { excerpt: Some(_), .. })))));
    assert!(decisions().any(|it| matches!(it, Entry::Fact(Fact::DeadlinePassed(Deadline::Settle { .. })))));
    for (sequence, at, entry) in &lines {
        assert_eq!(encoder.append(*at, entry, &mut bytes), *sequence);
    }
    let seal = reader.seal().expect("the last line is a seal");
    assert_eq!(seal.exit_code, 0);
    assert_eq!(seal.counts, encoder.counts());
    encoder.seal(seal.at, seal.exit_code, &mut bytes);
    assert!(lines_of(&bytes, 3) == lines_of(GOLDEN, 3), "it is written otherwise");
}

/// The lines without the version in the first, and without the hashes that hang on it.
fn lines_of(bytes: &[u8], version: u64) -> Vec<String> {
    let now = format!("\"version\":{JOURNAL_VERSION},");
    let without_hash =
        |line: &str| line.rsplit_once(",\"hash\"").unwrap().0.replacen(&now, &format!("\"version\":{version},"), 1);
    std::str::from_utf8(bytes).unwrap().lines().map(without_hash).collect()
}

#[test]
fn version_4_stays_readable() {
    let mut reader = Reader::new(Path::new(FILE), GOLDEN_4).unwrap();
    let (mut encoder, mut bytes) = Encoder::new(reader.header());
    assert!(reader.header().study.mechanism.is_some());
    let lines: Lines = reader.by_ref().map(Result::unwrap).collect();
    assert!(lines.iter().any(|(.., entry)| matches!(entry, Entry::Fact(Fact::Observed(seen)) if seen.file.is_some())));
    for (sequence, at, entry) in &lines {
        assert_eq!(encoder.append(*at, entry, &mut bytes), *sequence);
    }
    assert!(lines_of(&bytes, 4) == lines_of(GOLDEN_4, 4), "it is written otherwise");
}

/// What an earlier run found, in the study.
fn informed() -> Study {
    let (item, arm, recipient) = (ItemIx(1), ArmIx(0), study().arms[0].recipients[0]);
    let earlier = Earlier {
        runs: vec![RunId::from("20161130T080000Z-0a1b2c3d")],
        delivered: vec![(item, arm, recipient)],
        blocked: Vec::new(),
        not_due: vec![item],
    };
    Study { earlier: Some(earlier), ..study() }
}

#[test]
fn version_5_stays_readable() {
    let mut reader = Reader::new(Path::new(FILE), GOLDEN_5).unwrap();
    assert_eq!(reader.header(), &header_of(informed()));
    let lines: Lines = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(lines.into_iter().map(|(.., entry)| entry).collect::<Vec<_>>(), example_entries());
    let written = journal_of(&header_of(informed()), &example_entries(), Some(0));
    assert!(lines_of(&written, 5) == lines_of(GOLDEN_5, 5), "it is written otherwise");
}

#[test]
fn version_6_stays_readable_and_is_written_the_same() {
    let mut reader = Reader::new(Path::new(FILE), GOLDEN_6).unwrap();
    assert_eq!(reader.header(), &header_with_build());
    let lines: Lines = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(lines.into_iter().map(|(.., entry)| entry).collect::<Vec<_>>(), resumed_entries());
    assert!(journal_of(&header_with_build(), &resumed_entries(), Some(0)) == GOLDEN_6, "it is written otherwise");
}

#[test]
fn who_resumes_a_run_says_all_of_it_or_nothing() {
    let forged = |from: &'static str, to: &'static str| {
        assert!(std::str::from_utf8(GOLDEN_6).unwrap().contains(from), "{from}");
        problem(&forged_from(GOLDEN_6.to_vec(), move |line| line.replacen(from, to, 1))).1.to_string()
    };
    let version = ",\"lacuna_version\":\"0.2.0\",\"build\"";
    assert!(forged(version, ",\"build\"").contains("they are not those of `a resumed run`"));
    assert!(forged(",\"overrides\":[]", "").contains("they are not those of `a resumed run`"));
    assert!(forged("\"changed\":false", "\"changed\":false,\"by\":1").contains("unknown field `by`"));
}

#[test]
fn what_is_known_of_units_that_are_not_there_is_refused() {
    let golden = journal_of(&header_of(informed()), &example_entries(), Some(0));
    let forged = |from: &'static str, to: &'static str| {
        assert!(std::str::from_utf8(&golden).unwrap().contains(from), "{from}");
        problem(&forged_from(golden.clone(), move |line| line.replacen(from, to, 1))).0
    };
    assert_eq!(forged("\"delivered\":[[1,0,", "\"delivered\":[[99,0,"), 1);
    assert_eq!(forged("\"delivered\":[[1,0,", "\"delivered\":[[1,9,"), 1);
    assert_eq!(forged("\"not_due\":[1]", "\"not_due\":[99]"), 1);
    assert_eq!(forged("\"not_due\":[1]", "\"not_due\":[1,0]"), 1);
}

#[test]
fn whoever_makes_the_chain_anew_is_read() {
    assert_eq!(forged(str::to_owned), journal(&example_entries(), Some(0)));
}

#[test]
fn each_error_names_the_line_and_what_is_wrong() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("half a first line", GOLDEN_2[..100].to_vec()),
        ("another file", b"probe_id,sequence\n".to_vec()),
        ("another journal", forged(|line| line.replace("\"journal\":\"lacuna\"", "\"journal\":\"diary\""))),
        ("newer", forged(|line| line.replace("\"version\":6", "\"version\":7,\"more\":true"))),
        ("unknown member of the header", forged(|line| line.replace("\"version\":6", "\"version\":6,\"more\":true"))),
        ("account twice", forged(|line| line.replace("{\"id\":\"intl-b\"", "{\"id\":\"intl-a\""))),
        ("index into nothing", forged(|line| line.replace("\"members\":[0,1,2]", "\"members\":[0,1,3]"))),
        ("changed", String::from_utf8(GOLDEN_2.to_vec()).unwrap().replacen("not allowed", "allowed", 1).into_bytes()),
        ("last line cut", GOLDEN_2[..GOLDEN_2.len() - 1].to_vec()),
        ("missing number", forged(|line| line.replace("{\"seq\":7,", "{\"seq\":8,"))),
        ("unknown kind", forged(|line| line.replace("\"stop_requested\"", "\"stop_wanted\""))),
        ("unknown member", forged(|line| line.replace("\"reason\":\"requested\"", "\"reason\":\"requested\",\"by\":1"))),
        ("too few accounts", forged(|line| line.replace("\"sent_today\":[0,3,", "\"sent_today\":["))),
        ("unknown word", forged(|line| line.replace("\"reason\":\"requested\"", "\"reason\":\"tired\""))),
        ("unknown account", forged(|line| line.replace("\"gap\",\"account\":\"cn-a\"", "\"gap\",\"account\":\"cn-z\""))),
        ("wrong channel", forged(|line| line.replace("\"channel\":1,\"arm\":\"d\"", "\"channel\":0,\"arm\":\"d\""))),
        ("mixed result", forged(|line| line.replace("\"notice\":", "\"error\":\"\",\"notice\":"))),
        ("mixed deadline", forged(|line| line.replace("\"deadline\":\"listen\"", "\"deadline\":\"listen\",\"channel\":1"))),
        ("probe in another form", forged(|line| line.replace("\"p0000001\"", "\"p1\""))),
        (
            "probe out of order",
            forged(|line| line.replace("probe_planned\",\"probe\":\"p0000003\"", "probe_planned\",\"probe\":\"p0000004\"")),
        ),
        (
            "probe from nowhere",
            forged(|line| line.replace("send_started\",\"probe\":\"p0000003\"", "send_started\",\"probe\":\"p0000004\"")),
        ),
        ("wrong counts", forged(|line| line.replace("\"sanctions\":1", "\"sanctions\":0"))),
    ];
    let report: Vec<String> = cases.iter().map(|(case, bytes)| format!("{case}: {}", read(bytes).expect_err(case))).collect();
    insta::assert_snapshot!(report.join("\n"));
}

/// What cannot be of a search is refused; fragments that are no part of the text are left out of it.
#[test]
fn searches_are_refused_that_cannot_be() {
    let golden = |from: &'static str, to: &'static str| {
        assert!(std::str::from_utf8(GOLDEN).unwrap().contains(from), "{from}");
        forged_from(GOLDEN.to_vec(), move |line| line.replace(from, to))
    };
    assert_eq!(golden("\"search\":0", "\"search\":0"), GOLDEN);
    let cases = [
        ("out of turn", golden("search_begun\",\"search\":0", "search_begun\",\"search\":1")),
        ("not begun", golden("\"search\":0,\"fragments\"", "\"search\":1,\"fragments\"")),
        ("asked before it began", journal_of(&header_of(isolating(TEXT, 40)), &[excerpt(0, &[(0, 3)])], None)),
        ("not a recipient of the arm", golden("\"arm\":\"g\",\"recipient\":\"cn-a\"", "\"arm\":\"d\",\"recipient\":\"intl-b\"")),
        ("the sender", golden("\"arm\":\"g\",\"recipient\":\"cn-a\"", "\"arm\":\"g\",\"recipient\":\"intl-a\"")),
        ("unknown arm", golden("\"arm\":\"g\",\"recipient\":\"cn-a\"", "\"arm\":\"x\",\"recipient\":\"cn-a\"")),
        ("no items", golden("\"items\":[\"news/1\"],\"signal\"", "\"items\":[],\"signal\"")),
        ("unknown signal", golden("\"signal\":\"dropped\"", "\"signal\":\"lost\"")),
        ("fragments of no search", golden("\"search\":0,\"fragments\"", "\"fragments\"")),
        ("an empty fragment", golden("\"fragments\":[[", "\"fragments\":[[5,5],[")),
        ("a fragment turned round", golden("\"fragments\":[[", "\"fragments\":[[5,4],[")),
        ("a fragment before the text", golden("\"fragments\":[[", "\"fragments\":[[-1,4],[")),
        ("a settle of another kind", golden("\"deadline\":\"settle\"", "\"deadline\":\"settle\",\"channel\":0")),
    ];
    let report: Vec<String> = cases.iter().map(|(case, bytes)| format!("{case}: {}", read(bytes).expect_err(case))).collect();
    insta::assert_snapshot!(report.join("\n"));
    // Inside a character, and far behind the end.
    assert_eq!(
        read(&golden("\"fragments\":[[", "\"fragments\":[[1,2],[4000000000,4294967295],[")).map(|it| it.len()).ok(),
        read(GOLDEN).map(|it| it.len()).ok()
    );
}

fn excerpt(search: u32, fragments: &[(u32, u32)]) -> Entry {
    let Entry::Decision(Decision::ProbePlanned(probe)) = planned(0, 0, Role::Candidate, &[1]) else { unreachable!() };
    let fragments = fragments.iter().map(|(start, end)| *start..*end).collect();
    Entry::Decision(Decision::ProbePlanned(Probe { excerpt: Some(Excerpt { search: SearchIx(search), fragments }), ..probe }))
}

#[test]
fn a_line_may_not_be_endless() {
    let mut bytes = journal(&[], None);
    bytes.resize(bytes.len() + lacuna_records::journal::MAX_LINE + 1, b' ');
    bytes.push(b'\n');
    assert_eq!(problem(&bytes), (2, LineProblem::TooLong));
}

#[test]
fn a_run_goes_on_behind_its_seal() {
    let mut bytes = journal(&example_entries(), Some(3));
    let whole = bytes.len() as u64;
    let mut scan = scan(Path::new(FILE), bytes.as_slice()).unwrap();
    assert_eq!(scan.length, whole);
    assert_eq!(scan.seal.map(|seal| seal.exit_code), Some(3));
    scan.encoder.append(START, &epoch(1), &mut bytes);

    let mut reader = Reader::new(Path::new(FILE), bytes.as_slice()).unwrap();
    assert_eq!(reader.by_ref().map(Result::unwrap).count(), example_entries().len() + 1);
    assert_eq!(reader.seal(), None, "an entry behind the seal opens the run again");
    scan.encoder.seal(START, 0, &mut bytes);
    let mut reader = Reader::new(Path::new(FILE), bytes.as_slice()).unwrap();
    reader.by_ref().for_each(drop);
    assert_eq!(reader.seal().map(|seal| (seal.exit_code, seal.counts.epochs)), Some((0, 2)));
}

#[test]
fn a_torn_tail_is_cut_off_and_the_file_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let (mut encoder, first) = Encoder::new(&header());
    let mut storage = FileStorage::create(&file).unwrap();
    storage.append(&first).unwrap();
    let mut group = Vec::new();
    encoder.append(START, &epoch(0), &mut group);
    storage.append(&group).unwrap();
    storage.append(b"{\"seq\":1,\"at\":12").unwrap();
    storage.sync().unwrap();
    drop(storage);
    assert!(FileStorage::create(&file).is_err(), "a journal is never made twice");

    let mut recovered = recover(&file).unwrap();
    assert_eq!(recovered.truncated_bytes, 16);
    assert_eq!(recovered.scan.lines, 2);
    let mut group = Vec::new();
    assert_eq!(recovered.scan.encoder.append(START, &epoch(1), &mut group), EntrySequence(1));
    let mut storage = FileStorage::open(&file).unwrap();
    storage.append(&group).unwrap();
    storage.sync().unwrap();
    assert_eq!(Reader::open(&file).unwrap().map(Result::unwrap).count(), 2);
    assert_eq!(recover(&file).unwrap().truncated_bytes, 0);
}

#[test]
fn damage_that_is_no_torn_tail_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let whole = journal(&example_entries(), None);
    let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    let changed = |position: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[position] = byte;
        bytes
    };
    let zeros = [&whole[..last], &[0; 4096], b"\n", &whole[last..]].concat();
    for (case, bytes) in [
        ("a byte in the middle", changed(last - 100, b'#')),
        ("a line that is no line, and lines behind it", changed(last - 1, b' ')),
        ("a byte in the last line, which is whole", changed(last + 60, b'#')),
        ("a hole", zeros),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        assert!(matches!(recover(&file), Err(JournalError::Line { .. })), "{case}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{case}");
    }
}

/// `/dev/full` takes nothing. A second attempt could be told that all is well although the first lost its bytes.
#[cfg(target_os = "linux")]
#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let mut storage = FileStorage::open(Path::new("/dev/full")).unwrap();
    assert_eq!(storage.append(b"x").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let error = storage.sync().unwrap_err().to_string();
    assert!(error.contains("an earlier write to this file failed"), "{error}");
}

#[test]
fn what_was_not_synced_may_be_gone_after_a_crash() {
    let (mut encoder, first) = Encoder::new(&header());
    let mut storage = VolatileStorage::default();
    storage.append(&first).unwrap();
    storage.sync().unwrap();
    let mut group = Vec::new();
    encoder.append(START, &epoch(0), &mut group);
    storage.append(&group).unwrap();
    assert_eq!(storage.unsynced(), group.len());
    let left = storage.crash(7);
    assert_eq!(left, [&first[..], &group[..7]].concat());
    assert!(storage.append(b"x").is_err() && storage.sync().is_err(), "the process is gone too");
    assert_eq!(scan(Path::new(FILE), left.as_slice()).unwrap().length, first.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sequence_of_entries_comes_back(entries in entries(0..40), exit_code in any::<Option<u8>>()) {
        let bytes = journal(&entries, exit_code);
        let mut reader = Reader::new(Path::new(FILE), bytes.as_slice()).unwrap();
        let mut at = START;
        for (number, entry) in (0..).zip(&entries) {
            at = at + Duration(1_001);
            let line = reader.next().unwrap().unwrap();
            prop_assert_eq!(line, (EntrySequence(number), at, entry.clone()));
        }
        prop_assert!(reader.next().is_none());
        prop_assert_eq!(reader.seal().map(|seal| seal.exit_code), exit_code);
    }

    #[test]
    fn any_truncation_recovers_to_a_prefix(entries in entries(1..20), cut in any::<prop::sample::Index>()) {
        let first = journal(&[], None).len();
        let bytes = journal(&entries, None);
        let left = first + cut.index(bytes.len() - first + 1);
        let found = scan(Path::new(FILE), &bytes[..left]).unwrap();
        let length = usize::try_from(found.length).unwrap();
        prop_assert!(length <= left && bytes[length - 1] == b'\n');
        prop_assert!(!bytes[length..left].contains(&b'\n'), "a whole line was cut off");

        // What is written next is what would have been written without the crash.
        let mut continued = bytes[..length].to_vec();
        let mut encoder = found.encoder;
        for (_, at, entry) in &read(&bytes).unwrap()[usize::try_from(found.lines).unwrap() - 1..] {
            encoder.append(*at, entry, &mut continued);
        }
        prop_assert_eq!(continued, bytes);
    }

    #[test]
    fn any_changed_byte_is_found(entries in entries(1..12), place in any::<prop::sample::Index>(), change in 1u8..) {
        let mut bytes = journal(&entries, Some(0));
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        prop_assert!(read(&bytes).is_err());
    }
}

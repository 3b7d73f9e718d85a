//! Documents, read by programs that were not written here.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use lacuna_content::document::{DocumentError, Format, LARGEST, NotInXml, PdfError, docx, examine, pdf, txt};
use lacuna_content::image::{TypesetError, Typesetter};
use lacuna_content::sha256_hex;
use proptest::prelude::*;

/// Han, Latin, Arabic and Tibetan letters.
const TEXT: &str = "新疆集中营 left & <right>\nئۇيغۇر\nབོད";

fn typesetter() -> Typesetter {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fonts");
    Typesetter::new(["han.otf", "arabic.ttf", "tibetan.ttf"].map(|name| (fs::read(folder.join(name)).unwrap(), 0)).to_vec())
        .unwrap()
}

fn made(format: Format, text: &str, nonce: u64) -> Vec<u8> {
    match format {
        Format::Pdf => pdf(&mut typesetter(), text, nonce).unwrap(),
        Format::Docx => docx(text, nonce).unwrap(),
        Format::Txt => txt(text, nonce),
    }
}

#[test]
fn the_same_text_and_nonce_give_the_same_bytes_everywhere() {
    // Golden: other bytes are other hashes than those that a corpus of an earlier version wrote down.
    let hashes = Format::ALL.map(|format| format!("{format} {}", sha256_hex(&made(format, TEXT, 1))));
    insta::assert_snapshot!(hashes.join("\n"));
    for format in Format::ALL {
        assert_eq!(examine(&made(format, TEXT, 1), LARGEST), Ok(format));
        assert_ne!(made(format, TEXT, 1), made(format, TEXT, 2));
        // A nonce changes no length, so that nobody tells files apart by it.
        assert_eq!(made(format, TEXT, 1).len(), made(format, TEXT, u64::MAX).len());
    }
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

#[test]
fn another_program_reads_the_pages_and_fonts_of_a_pdf() {
    let long = "新疆集中营天气很好\n".repeat(100);
    let document = lopdf::Document::load_mem(&made(Format::Pdf, &long, 3)).unwrap();
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    assert_eq!(pages, [1, 2, 3, 4]);
    assert_eq!(without_blanks(&document.extract_text(&pages).unwrap()), without_blanks(&long));

    let document = lopdf::Document::load_mem(&made(Format::Pdf, TEXT, 3)).unwrap();
    let fonts = document.get_page_fonts(document.get_pages()[&1]).unwrap();
    assert_eq!(fonts.len(), 3);
    let files = document.objects.values().filter_map(|object| object.as_dict().ok());
    let embedded = files.filter(|dictionary| dictionary.has(b"FontFile2") || dictionary.has(b"FontFile3"));
    assert_eq!(embedded.count(), 3);
}

#[test]
fn another_program_reads_a_docx() {
    let bytes = made(Format::Docx, TEXT, 3);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut part = String::new();
    // The reader compares the checksum.
    archive.by_name("word/document.xml").unwrap().read_to_string(&mut part).unwrap();
    let texts: Vec<&str> =
        part.split("<w:t xml:space=\"preserve\">").skip(1).map(|rest| rest.split("</w:t>").next().unwrap()).collect();
    assert_eq!(texts, ["新疆集中营 left &amp; &lt;right&gt;", "ئۇيغۇر", "བོད"]);
    assert_eq!(part.matches("<w:bidi/>").count(), 1);
    for name in ["[Content_Types].xml", "_rels/.rels"] {
        archive.by_name(name).unwrap().read_to_string(&mut part).unwrap();
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    assert_eq!(docx("a\u{1}b", 0), Err(NotInXml('\u{1}')));
    assert_eq!(docx("a\u{FFFF}b", 0), Err(NotInXml('\u{FFFF}')));
    let refusal = |text: &str| pdf(&mut typesetter(), text, 0).unwrap_err();
    assert_eq!(refusal(" \n"), PdfError::Text(TypesetError::Blank));
    assert_eq!(refusal("\u{1F600}").to_string(), "no font given has \u{1F600} (U+1F600)");
    assert!(matches!(refusal(&"天".repeat(2_001)), PdfError::Text(TypesetError::TooLong { .. })));
}

#[test]
fn a_file_that_was_received_is_told_by_its_frame() {
    let examined = |bytes: &[u8]| examine(bytes, LARGEST);
    assert_eq!(examined(b""), Err(DocumentError::Empty));
    assert_eq!(examined(b"junk before %PDF-1.4\n startxref 9 %%EOF and behind"), Ok(Format::Pdf));
    assert_eq!(examined(b"\0\0\0"), Err(DocumentError::UnknownFormat));
    assert_eq!(examine(b"words", 4), Err(DocumentError::TooLong { bytes: 5, limit: 4 }));
    let docx = made(Format::Docx, TEXT, 1);
    for end in 4..docx.len() {
        assert_eq!(examined(&docx[..end]), Err(DocumentError::Truncated { format: Format::Docx }), "{end}");
    }
    let pdf = made(Format::Pdf, TEXT, 1);
    for end in 5..pdf.len() - 1 {
        assert_eq!(examined(&pdf[..end]), Err(DocumentError::Truncated { format: Format::Pdf }), "{end}");
    }
    // An archive that is no document.
    let mut other = docx;
    let names: Vec<usize> = (0..other.len() - 5).filter(|at| other[*at..].starts_with(b"word/")).collect();
    for at in names {
        other[at] = b'W';
    }
    assert_eq!(examined(&other), Err(DocumentError::UnknownFormat));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_damaged_file_panics(
        format in prop::sample::select(vec![Format::Docx, Format::Txt]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = made(format, TEXT, 1);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = examine(&bytes, LARGEST);
        let _ = examine(&bytes[..end.index(bytes.len())], LARGEST);
    }

    #[test]
    fn no_bytes_behind_a_mark_panic(mark in 0..3_usize, rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let marks: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x03\x04PK\x05\x06\0\0\0\0\x01\0\x01\0", b"%PDF-"];
        let _ = examine(&[marks[mark], &rest].concat(), LARGEST);
    }

    #[test]
    fn any_text_is_written_or_refused(text in "\\PC{0,40}") {
        prop_assert_eq!(examine(&txt(&text, 0), LARGEST), if text.contains('\0') { Err(DocumentError::UnknownFormat) } else { Ok(Format::Txt) });
        if let Ok(bytes) = docx(&text, 0) {
            prop_assert_eq!(examine(&bytes, LARGEST), Ok(Format::Docx));
        }
    }
}

//! A text as a word processor's document: the three parts without which none opens it (ECMA-376 parts 1 and 2).

use unicode_script::{Script, UnicodeScript as _};

use super::zip::archive;

const TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Override PartName=\"/word/document.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
const RELATIONSHIPS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"word/document.xml\"/></Relationships>";

/// A character that XML cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds U+{:04X}, which this format cannot", u32::from(*.0))]
pub struct NotInXml(pub char);

/// A text as a document, a paragraph for each of its lines. The nonce stands in a comment that no reader shows.
pub fn docx(text: &str, nonce: u64) -> Result<Vec<u8>, NotInXml> {
    let forbidden = |character: &char| {
        character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r') || matches!(character, '\u{FFFE}' | '\u{FFFF}')
    };
    if let Some(character) = text.chars().find(forbidden) {
        return Err(NotInXml(character));
    }
    let body: String = text.lines().map(paragraph).collect();
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<!-- {nonce:016x} -->\n\
         <w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    let parts = [
        ("[Content_Types].xml", TYPES.into()),
        ("_rels/.rels", RELATIONSHIPS.into()),
        ("word/document.xml", document.into_bytes()),
    ];
    // Texts are far shorter than the 4 GB at which the format ends.
    Ok(archive(&parts).unwrap_or_default())
}

fn paragraph(line: &str) -> String {
    let right_to_left = line.chars().any(|character| {
        matches!(character.script(), Script::Arabic | Script::Hebrew | Script::Syriac | Script::Thaana | Script::Nko)
    });
    let (paragraph, run) = if right_to_left { ("<w:pPr><w:bidi/></w:pPr>", "<w:rPr><w:rtl/></w:rPr>") } else { ("", "") };
    format!("<w:p>{paragraph}<w:r>{run}<w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>", escaped(line))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

//! Small corpora for tests that run whole experiments.

use std::fs;
use std::path::Path;

/// Writes the corpus `id` into `folder`: for each stem so many items, `stem0`, `stem1`, … with the texts `stem 0`, `stem 1`, …
pub fn write_corpus(folder: &Path, id: &str, stems: &[(&str, usize)]) {
    let corpus = folder.join(id);
    fs::create_dir(&corpus).unwrap();
    let head = ["id", "title", "version", "licence", "source", "citation", "language", "content-warning"].map(|key| {
        let value = match key {
            "id" => id,
            "licence" => "CC0-1.0",
            "language" => "en",
            _ => "none",
        };
        format!("{key} = \"{value}\"")
    });
    fs::write(corpus.join("corpus.toml"), head.join("\n")).unwrap();
    let mut rows = vec!["item_id,kind,text".to_owned()];
    for (stem, count) in stems {
        rows.extend((0..*count).map(|row| format!("{stem}{row},text,{stem} {row}")));
    }
    fs::write(corpus.join("items.csv"), rows.join("\n")).unwrap();
}

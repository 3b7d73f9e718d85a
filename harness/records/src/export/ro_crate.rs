//! A folder with a copy of the run and `ro-crate-metadata.json` (RO-Crate 1.2): what was done, with what, of what, and what came of it.
//! The run's own folder stays as it is; the copy in `run/` can be verified.

use std::fs;
use std::path::Path;

use lacuna_model::Build;
use serde_json::{Value, json};

use super::source::Source;
use super::{ExportError, Exported};
use crate::projection::hash_file;
use crate::run_folder::JOURNAL;
use crate::time_format::iso8601;

const METADATA: &str = "ro-crate-metadata.json";
/// The copy of the run.
const RUN: &str = "run";
const PROFILE: &str = "https://w3id.org/ro/crate/1.2";

pub(super) fn write(source: &Source, out: &Path) -> Result<Exported, ExportError> {
    let mut files = Vec::new();
    for name in source.report.checked.keys() {
        let (from, to) = (source.run.join(name), out.join(RUN).join(name));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(ExportError::io(folder))?;
        }
        fs::copy(&from, &to).map_err(ExportError::io(&from))?;
        let hash = hash_file(&to, &format!("{RUN}/{name}")).map_err(ExportError::io(&to))?;
        files.push(json!({
            "@id": hash.path,
            "@type": "File",
            "name": name,
            "description": meaning(source, name),
            "encodingFormat": encoding(name),
            "contentSize": hash.bytes.to_string(),
            "sha256": hash.sha256,
        }));
    }
    let metadata = out.join(METADATA);
    let text =
        serde_json::to_vec_pretty(&graph(source, files.clone())).map_err(|error| ExportError::io(&metadata)(error.into()))?;
    fs::write(&metadata, [text.as_slice(), b"\n"].concat()).map_err(ExportError::io(&metadata))?;
    let mut names: Vec<String> = files.iter().filter_map(|file| file["@id"].as_str().map(str::to_owned)).collect();
    names.push(METADATA.to_owned());
    let notes = vec!["the licence of the results is yours to state in ro-crate-metadata.json, under `#licence`".to_owned()];
    Ok(Exported { count: names.len(), files: names, notes })
}

fn graph(source: &Source, files: Vec<Value>) -> Value {
    let header = &source.header;
    let study = &header.study;
    let reference = |entity: &Value| json!({ "@id": entity["@id"] });
    let opened = iso8601(header.opened_at);
    let sealed = source.manifest["sealed_at"].as_str().unwrap_or(&opened);
    let inputs: Vec<Value> = (1..)
        .zip(&header.inputs)
        .map(|(number, input)| {
            json!({
                "@id": format!("#input-{number}"),
                "@type": "CreativeWork",
                "name": format!("{} {}", input.kind, input.path),
                "identifier": format!("sha256:{}", input.sha256),
            })
        })
        .collect();
    let accounts = study.accounts.len();
    let about =
        if study.question.is_empty() { format!("A run of the experiment {}.", study.name) } else { study.question.clone() };
    let entities = [
        json!({
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": { "@id": "./" },
            "conformsTo": { "@id": PROFILE },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": format!("{}, run {}", study.name, header.run_id),
            "description": about,
            "identifier": header.run_id.as_str(),
            "datePublished": sealed,
            "license": { "@id": "#licence" },
            "hasPart": files.iter().map(reference).collect::<Vec<_>>(),
            "mentions": [{ "@id": "#run" }],
        }),
        json!({
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "No licence stated",
            "description": format!(
                "Whoever publishes this crate states its licence here. The texts and files that were sent are those of the corpora, each of \
                 which has a licence of its own{}.",
                licences(study)
            ),
        }),
        json!({
            "@id": "#lacuna",
            "@type": "CreativeWork",
            "additionalType": "http://schema.org/SoftwareApplication",
            "name": "Lacuna",
            "description": format!("Measures silent censorship on messaging platforms.{}", built(header.build.as_ref())),
            "version": header.lacuna_version,
            "softwareVersion": header.lacuna_version,
            "license": "MIT OR Apache-2.0",
        }),
        json!({
            "@id": "#run",
            "@type": "CreateAction",
            "name": format!("Run {} of the experiment {}", header.run_id, study.name),
            "description": format!(
                "Design {}, adapter {}, {accounts} accounts, seed {}, engine version {}.{}",
                study.design.as_str(), study.adapter, study.seed, header.engine_version, overridden(header.overrides.as_deref())
            ),
            "instrument": { "@id": "#lacuna" },
            "object": inputs.iter().map(reference).collect::<Vec<_>>(),
            "result": files.iter().map(reference).collect::<Vec<_>>(),
            "startTime": opened,
            "endTime": sealed,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        }),
    ];
    json!({ "@context": format!("{PROFILE}/context"), "@graph": entities.into_iter().chain(inputs).chain(files).collect::<Vec<_>>() })
}

/// How the program was built, as far as the journal says.
fn built(build: Option<&Build>) -> String {
    let Some(Build { source, rustc, target }) = build else { return String::new() };
    let sources = source.as_ref().map_or_else(String::new, |source| {
        let changed = if source.changed { ", with changes that are in no commit," } else { "" };
        format!(" from commit {}{changed}", source.commit)
    });
    format!(" Built{sources} by rustc {rustc} for {target}.")
}

/// What the command line changed of the experiment, as far as the journal says.
fn overridden(overrides: Option<&[String]>) -> String {
    match overrides {
        None => String::new(),
        Some([]) => " The command line changed nothing of the experiment.".to_owned(),
        Some(overrides) => format!(" The command line changed of the experiment: {}.", overrides.join(", ")),
    }
}

fn meaning(source: &Source, name: &str) -> String {
    if let Some(table) = source.tables.iter().find(|table| table.path == name) {
        return table.description.clone();
    }
    let known = match name {
        JOURNAL => "What the run did and saw, in the order in which it did and saw it; everything else follows from it.",
        "manifest.json" => "What the run consists of, by hash, and under which rules it decided.",
        "datapackage.json" => "The description of the tables: a Frictionless Data Package.",
        "report.html" => "The report.",
        _ if name.starts_with("files/") => "A file that was sent or received.",
        _ => "Derived from the journal.",
    };
    known.to_owned()
}

fn encoding(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|it| it.to_str()) {
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("jsonl") => "application/jsonl",
        Some("html") => "text/html",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// The licences of the corpora, as far as the journal holds them.
fn licences(study: &lacuna_model::Study) -> String {
    let corpora: Vec<String> =
        study.corpora.iter().map(|corpus| format!("{} {} ({})", corpus.id, corpus.version, corpus.licence)).collect();
    if corpora.is_empty() { String::new() } else { format!(": {}", corpora.join(", ")) }
}

//! Every key of the files that people write, as Markdown, made from the declarations by which the files are read.

use std::fmt::Write as _;
use std::ops::Bound;

use lacuna_model::adapter::{AdapterSpec, SettingForm, SettingSpec};

use crate::corpus::KEYS;
use crate::toml_reader::{Form, Key, Need, Shape};
use crate::{experiment, policy};

/// The keys of an experiment, of a policy and of `corpus.toml`.
#[must_use]
pub fn keys(adapters: &[AdapterSpec]) -> String {
    let mut out = String::from(INTRODUCTION);
    out.push_str("## An experiment\n\n");
    table(&mut out, "", &experiment::shape::experiment(&[], None));
    for adapter in adapters {
        for (name, settings) in [("[platform]", adapter.platform), ("[[account]]", adapter.account)] {
            if !settings.is_empty() {
                of_adapter(&mut out, name, adapter, settings);
            }
        }
    }
    out.push_str("## A policy of the simulator\n\n");
    table(&mut out, "", &policy::shape());
    out.push_str("## corpus.toml\n\n");
    out.push_str(HEAD);
    for key in KEYS {
        let need = if key.required { "required" } else { "" };
        let value = if key.may_be_empty { "text, may be empty" } else { "text" };
        row(&mut out, key.key, value, need, key.help);
    }
    out
}

const INTRODUCTION: &str = "\
<!-- Made by `lacuna schema keys`; change what it is made of, not this file. -->

# Keys of the files

Every key of an experiment, a policy and a corpus. `lacuna schema experiment`, `policy` and `corpus` print the same as JSON Schemas, for editors.
A duration is a number and a unit (`\"250ms\"`, `\"30s\"`, `\"10min\"`, `\"1h\"`), a country an ISO 3166-1 alpha-2 code in capitals, a path is relative to
the file that it stands in.

";

const HEAD: &str = "| key | value | default | meaning |\n|---|---|---|---|\n";

fn row(out: &mut String, key: &str, value: &str, default: &str, help: &str) {
    let _ = writeln!(out, "| `{key}` | {value} | {default} | {} |", help.replace('|', "\\|").replace('<', "&lt;"));
}

/// One table of a file and those below it.
fn table(out: &mut String, path: &str, shape: &Shape) {
    out.push_str(HEAD);
    for key in &shape.keys {
        let default = match key.need {
            Need::Required => "required".to_owned(),
            Need::Optional | Need::Default("''" | "{}") => String::new(),
            Need::Default(value) => format!("`{}`", value.replace('\'', "\"")),
        };
        row(out, key.name, &value(&key.form, path, key), &default, key.help);
    }
    out.push('\n');
    for key in &shape.keys {
        if let Some((title, below)) = below(key, path) {
            let _ = write!(out, "### {title}\n\n");
            table(out, &format!("{}.", join(path, key.name)), below);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    format!("{path}{name}")
}

/// The table that a key holds, and how it is written.
fn below<'a>(key: &'a Key, path: &str) -> Option<(String, &'a Shape)> {
    let name = join(path, key.name);
    match &key.form {
        Form::Table(shape) => Some((format!("[{name}]"), shape)),
        Form::Tables { of, .. } => Some((format!("[[{name}]]"), of)),
        _ => None,
    }
}

fn value(form: &Form, path: &str, key: &Key) -> String {
    match form {
        Form::Text | Form::Words | Form::Component => "text".to_owned(),
        Form::Name => "name".to_owned(),
        Form::Country => "country".to_owned(),
        Form::Path => "path".to_owned(),
        Form::Secret => "`env:NAME` or `file:PATH`".to_owned(),
        Form::Boolean => "`true` or `false`".to_owned(),
        Form::Version(version) => format!("`{version}`"),
        Form::Integer { least, most: i64::MAX } => format!("whole number from {least}"),
        Form::Integer { least, most } => format!("whole number, {least} to {most}"),
        Form::Number((low, high)) => format!("number{}{}", bound(low, "from", "above"), bound(high, "to", "below")),
        Form::Duration => "duration".to_owned(),
        Form::DurationOrAuto => "duration or `\"auto\"`".to_owned(),
        Form::Choice { of, .. } if of.is_empty() => "name of an adapter".to_owned(),
        Form::Choice { of, .. } => of.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Form::List { of, least, .. } => {
            format!("list of {}{}", value(of, path, key), if *least > 0 { ", not empty" } else { "" })
        }
        Form::Table(_) | Form::Tables { .. } => {
            let title = below(key, path).map(|(title, _)| title).unwrap_or_default();
            let anchor: String = title.chars().filter(|it| !"[].".contains(*it)).collect();
            format!("[{}](#{anchor})", title.replace('[', "\\[").replace(']', "\\]"))
        }
    }
}

fn bound(bound: &Bound<f64>, included: &str, excluded: &str) -> String {
    match bound {
        Bound::Included(bound) => format!(" {included} {bound}"),
        Bound::Excluded(bound) => format!(" {excluded} {bound}"),
        Bound::Unbounded => String::new(),
    }
}

fn of_adapter(out: &mut String, name: &str, adapter: &AdapterSpec, settings: &[SettingSpec]) {
    let _ = write!(out, "### {name} of adapter \"{}\"\n\n", adapter.name);
    if name == "[platform]" && !adapter.one_of.is_empty() {
        let keys: Vec<String> = adapter.one_of.iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(out, "Exactly one of {} must be given.\n", keys.join(", "));
    }
    out.push_str(HEAD);
    for setting in settings {
        let form = match setting.form {
            SettingForm::Text => "text",
            SettingForm::Path => "path",
            SettingForm::Secret => "`env:NAME` or `file:PATH`",
            SettingForm::Boolean => "`true` or `false`",
        };
        let need = if setting.required { "required" } else { "" };
        row(out, setting.key, form, need, setting.help);
    }
    out.push('\n');
}

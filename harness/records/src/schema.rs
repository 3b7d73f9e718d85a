//! JSON Schema (draft 2020-12) of the files that people write, for their editors. Made from the same declarations by
//! which the files are read.

use std::ops::Bound;

use lacuna_model::adapter::{AdapterSpec, SettingSpec};
use serde_json::{Map, Value, json};

use crate::corpus::{KEYS, KeySpec};
use crate::toml_reader::{self, DURATION_PATTERN, Form, Key, NAME_PATTERN, Need, Place, Shape, parse_value};
use crate::{experiment, policy};

mod keys;
#[cfg(test)]
mod tests;

pub use keys::keys;

/// The experiment file, with the keys of all these adapters.
#[must_use]
pub fn experiment(adapters: &[AdapterSpec]) -> Value {
    let mut schema = file("Lacuna experiment", &experiment::shape::experiment(adapters, None));
    // Which keys belong to which adapter is stated below; here stand all of them, and no others.
    for (path, settings) in [
        (&["properties", "platform"][..], all_settings(adapters, |adapter| adapter.platform)),
        (&["properties", "account", "items"], all_settings(adapters, |adapter| adapter.account)),
    ] {
        let Some(table) = path.iter().try_fold(&mut schema, |value, key| value.get_mut(key)) else { continue };
        table["additionalProperties"] = json!(false);
        for setting in &settings {
            if settings.iter().any(|other| other.key == setting.key && other.form != setting.form) {
                table["properties"][setting.key] = json!(true);
            }
        }
    }
    schema["allOf"] = adapters.iter().map(|adapter| of_adapter(adapters, adapter)).collect();
    schema
}

/// The simulator's policy file.
#[must_use]
pub fn policy() -> Value {
    file("Lacuna simulator policy", &policy::shape())
}

/// `corpus.toml`, the head of a corpus.
#[must_use]
pub fn corpus() -> Value {
    let text = |key: &KeySpec| if key.may_be_empty { Form::Text } else { Form::Component };
    let keys = KEYS.iter().map(|key| {
        let need = if key.required { Need::Required } else { Need::Optional };
        Key { name: key.key, form: text(key), need, help: key.help }
    });
    file("Lacuna corpus", &Shape::new(keys.collect()))
}

fn file(title: &str, shape: &Shape) -> Value {
    let mut schema = table(shape);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

fn table(shape: &Shape) -> Value {
    let keys = || shape.keys.iter();
    let properties: Map<String, Value> = keys().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys().filter(|key| needed(key)).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": shape.open });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn needed(key: &Key) -> bool {
    matches!(key.need, Need::Required)
}

fn property(key: &Key) -> Value {
    let mut schema = form(&key.form);
    schema["description"] = json!(key.help);
    if let Need::Default(default) = key.need
        && let Some(default) = parse_value(default, Place::File)
    {
        schema["default"] = plain(&default.value);
    }
    schema
}

fn form(form: &Form) -> Value {
    match form {
        Form::Text => json!({ "type": "string" }),
        Form::Words | Form::Path => json!({ "type": "string", "pattern": "\\S" }),
        Form::Component => json!({ "type": "string", "minLength": 1 }),
        Form::Name => json!({ "type": "string", "pattern": NAME_PATTERN }),
        Form::Country => json!({ "type": "string", "pattern": "^[A-Z]{2}$" }),
        Form::Secret => json!({ "type": "string", "pattern": "^(env|file):." }),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Version(version) => json!({ "const": version }),
        Form::Integer { least, most: i64::MAX } => json!({ "type": "integer", "minimum": least }),
        Form::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Number((low, high)) => number(*low, *high),
        Form::Duration => json!({ "type": "string", "pattern": DURATION_PATTERN }),
        Form::DurationOrAuto => json!({ "type": "string", "pattern": format!("^auto$|{DURATION_PATTERN}") }),
        Form::Choice { of, .. } => json!({ "enum": of }),
        Form::List { of, least, unique } => {
            json!({ "type": "array", "items": self::form(of), "minItems": least, "uniqueItems": unique })
        }
        Form::Table(shape) => table(shape),
        Form::Tables { of, least } => json!({ "type": "array", "items": table(of), "minItems": least }),
    }
}

fn number(low: Bound<f64>, high: Bound<f64>) -> Value {
    let mut schema = json!({ "type": "number" });
    for (bound, included, excluded) in [(low, "minimum", "exclusiveMinimum"), (high, "maximum", "exclusiveMaximum")] {
        match bound {
            Bound::Included(bound) => schema[included] = json!(bound),
            Bound::Excluded(bound) => schema[excluded] = json!(bound),
            Bound::Unbounded => {}
        }
    }
    schema
}

fn plain(value: &toml_reader::Value) -> Value {
    match value {
        toml_reader::Value::Text(text) => json!(text),
        toml_reader::Value::Integer(number) => json!(number),
        toml_reader::Value::Float(number) => json!(number),
        toml_reader::Value::Boolean(boolean) => json!(boolean),
        toml_reader::Value::Array(elements) => elements.iter().map(|element| plain(&element.value)).collect(),
        toml_reader::Value::Table(table) => {
            Value::Object(table.entries.iter().map(|entry| (entry.name.clone(), plain(&entry.node.value))).collect())
        }
        toml_reader::Value::Other(_) => Value::Null,
    }
}

fn all_settings(adapters: &[AdapterSpec], of: fn(&AdapterSpec) -> &'static [SettingSpec]) -> Vec<SettingSpec> {
    adapters.iter().flat_map(of).copied().collect()
}

/// What holds where the experiment names this adapter: its keys with their forms, and no key of another one.
fn of_adapter(adapters: &[AdapterSpec], adapter: &AdapterSpec) -> Value {
    let shape = experiment::shape::experiment(adapters, Some(adapter));
    let Some(Form::Table(platform)) = shape.key("platform").map(|key| &key.form) else { return json!({}) };
    let Some(Form::Tables { of: account, .. }) = shape.key("account").map(|key| &key.form) else { return json!({}) };
    let mut platform_schema = own_keys(platform, &all_settings(adapters, |adapter| adapter.platform));
    if !adapter.one_of.is_empty() {
        platform_schema["oneOf"] = adapter.one_of.iter().map(|key| json!({ "required": [key] })).collect();
    }
    let account_schema = own_keys(account, &all_settings(adapters, |adapter| adapter.account));
    let mut named = json!({ "properties": { "platform": { "properties": { "adapter": { "const": adapter.name } } } } });
    if !is_default(platform, adapter) {
        named["required"] = json!(["platform"]);
        named["properties"]["platform"]["required"] = json!(["adapter"]);
    }
    let mut then = json!({ "properties": { "platform": platform_schema, "account": { "items": account_schema } } });
    if !adapter.one_of.is_empty() || platform.keys.iter().any(needed) {
        then["required"] = json!(["platform"]);
    }
    json!({ "if": named, "then": then })
}

/// Whether the adapter is meant where none is named.
fn is_default(platform: &Shape, adapter: &AdapterSpec) -> bool {
    let Some(Need::Default(default)) = platform.key("adapter").map(|key| key.need) else { return false };
    parse_value(default, Place::File).is_some_and(|node| node.value == toml_reader::Value::Text(adapter.name.to_owned()))
}

fn own_keys(shape: &Shape, all: &[SettingSpec]) -> Value {
    let mut properties = Map::new();
    for setting in all {
        let schema = shape.key(setting.key).map_or(json!(false), property);
        properties.insert(setting.key.to_owned(), schema);
    }
    let required: Vec<&str> = shape.keys.iter().filter(|key| needed(key)).map(|key| key.name).collect();
    json!({ "properties": properties, "required": required })
}

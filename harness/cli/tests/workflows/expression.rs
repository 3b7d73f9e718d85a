//! Expressions of workflows, `${{ … }}`: contexts, literals, `!`, `==`, `!=`, `&&`, `||`, parentheses, and the functions that ask how a job
//! stands. Whatever else is met ends the test: an expression that is half understood would prove nothing.

use std::collections::BTreeMap;
use std::fmt;

/// What an expression is worth.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Text(String),
}

/// What expressions may ask for.
#[derive(Clone, Default)]
pub struct Contexts {
    /// `steps.measure.outputs.run` and so on.
    pub values: BTreeMap<String, Value>,
    /// Beginnings of paths of which a part that is not there is null, as with GitHub: `vars.`, `steps.measure.outputs.`
    pub open: Vec<String>,
    /// Whether a step or a job before has failed.
    pub failed: bool,
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(it) => *it,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// GitHub compares texts without their case, and null as an empty text.
    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Bool(_), _) | (_, Self::Bool(_)) => {
                panic!("a truth value is compared with something else, which GitHub turns into numbers")
            }
            _ => self.to_string().eq_ignore_ascii_case(&other.to_string()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(it) => write!(f, "{it}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Contexts {
    pub fn set(&mut self, path: &str, value: impl Into<String>) {
        self.values.insert(path.to_owned(), Value::Text(value.into()));
    }

    /// A text with the expressions in it replaced by what they are worth.
    pub fn interpolate(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, behind) = after.split_once("}}").unwrap_or_else(|| panic!("`${{{{` without its end: {text}"));
            out += before;
            out += &self.evaluate(expression).to_string();
            rest = behind;
        }
        out + rest
    }

    /// Whether something is to be done under a condition. Unless it asks how the job stands, it holds only if nothing has failed.
    pub fn holds(&self, condition: Option<&str>) -> bool {
        let Some(condition) = condition else { return !self.failed };
        let expression = condition.trim().strip_prefix("${{").and_then(|it| it.strip_suffix("}}")).unwrap_or(condition);
        let asks = ["always()", "success()", "failure()", "cancelled()"].iter().any(|it| expression.contains(it));
        (asks || !self.failed) && self.evaluate(expression).is_true()
    }

    pub fn evaluate(&self, expression: &str) -> Value {
        let mut parser = Parser { contexts: self, tokens: tokens(expression), next: 0 };
        let value = parser.or();
        assert_eq!(parser.next, parser.tokens.len(), "left over in `{expression}`");
        value
    }

    fn get(&self, path: &str) -> Value {
        match self.values.get(path) {
            Some(value) => value.clone(),
            None if self.open.iter().any(|open| path.starts_with(open.as_str())) => Value::Null,
            None => panic!("nothing is known of `{path}`"),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Path(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 7] = ["==", "!=", "&&", "||", "!", "(", ")"];

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let end = rest[1..].find('\'').unwrap_or_else(|| panic!("a text without its end: {expression}")) + 1;
            assert!(!rest[end + 1..].starts_with('\''), "a quote in a text: {expression}");
            tokens.push(Token::Text(rest[1..end].to_owned()));
            rest = &rest[end + 1..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let length = rest.find(|it: char| !(it.is_ascii_alphanumeric() || "._-".contains(it))).unwrap_or(rest.len());
            assert!(length > 0, "`{first}` is not known: {expression}");
            tokens.push(Token::Path(rest[..length].to_owned()));
            rest = &rest[length..];
        }
        rest = rest.trim_start();
    }
    tokens
}

struct Parser<'c> {
    contexts: &'c Contexts,
    tokens: Vec<Token>,
    next: usize,
}

impl Parser<'_> {
    fn takes(&mut self, sign: &'static str) -> bool {
        let found = self.tokens.get(self.next) == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    /// As in JavaScript, the value is that of the operand that decides.
    fn or(&mut self) -> Value {
        let mut value = self.and();
        while self.takes("||") {
            let other = self.and();
            if !value.is_true() {
                value = other;
            }
        }
        value
    }

    fn and(&mut self) -> Value {
        let mut value = self.equality();
        while self.takes("&&") {
            let other = self.equality();
            if value.is_true() {
                value = other;
            }
        }
        value
    }

    fn equality(&mut self) -> Value {
        let mut value = self.unary();
        loop {
            if self.takes("==") {
                value = Value::Bool(value.equals(&self.unary()));
            } else if self.takes("!=") {
                value = Value::Bool(!value.equals(&self.unary()));
            } else {
                return value;
            }
        }
    }

    fn unary(&mut self) -> Value {
        if self.takes("!") {
            return Value::Bool(!self.unary().is_true());
        }
        if self.takes("(") {
            let value = self.or();
            assert!(self.takes(")"), "a parenthesis is open");
            return value;
        }
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        match token {
            Some(Token::Text(text)) => Value::Text(text),
            Some(Token::Path(path)) if self.takes("(") => {
                assert!(self.takes(")"), "{path} is asked for something");
                match path.as_str() {
                    "always" => Value::Bool(true),
                    "success" => Value::Bool(!self.contexts.failed),
                    "failure" => Value::Bool(self.contexts.failed),
                    // Nobody cancels here.
                    "cancelled" => Value::Bool(false),
                    _ => panic!("the function `{path}` is not known"),
                }
            }
            Some(Token::Path(path)) => match path.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => self.contexts.get(&path),
            },
            other => panic!("{other:?} where a value should be"),
        }
    }
}

#[test]
fn expressions_are_worth_what_github_says() {
    let mut contexts = Contexts { open: vec!["vars.".to_owned()], ..Contexts::default() };
    contexts.set("inputs.runner", "");
    contexts.set("steps.a.outputs.code", "5");
    for (expression, value) in [
        ("inputs.runner || vars.NONE || 'ubuntu'", "ubuntu"),
        ("steps.a.outputs.code == '5' && 'yes' || 'no'", "yes"),
        ("!(vars.NONE == '')", "false"),
        ("vars.NONE != '' || !success()", "false"),
        ("'A' == 'a'", "true"),
    ] {
        assert_eq!(contexts.evaluate(expression).to_string(), value, "{expression}");
    }
    assert_eq!(contexts.interpolate("a ${{ steps.a.outputs.code }} b ${{'c'}}"), "a 5 b c");
    assert!(contexts.holds(None) && contexts.holds(Some("${{ vars.NONE == '' }}")));
    contexts.failed = true;
    assert!(!contexts.holds(None) && !contexts.holds(Some("${{ vars.NONE == '' }}")));
    assert!(contexts.holds(Some("${{ !cancelled() && vars.NONE == '' }}")) && contexts.holds(Some("failure()")));
    for unknown in ["hashFiles('a')", "github.nothing", "1 < 2", "a['b']", "'open", "true == ''"] {
        assert!(std::panic::catch_unwind(|| contexts.evaluate(unknown)).is_err(), "{unknown}");
    }
}

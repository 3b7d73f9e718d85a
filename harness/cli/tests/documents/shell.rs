//! The commands of a block, and what of them can be run in a test.

use std::fs;

use super::root;

/// What is done with a command.
pub enum Done {
    /// It is run.
    Run,
    /// It is run where real servers are.
    RunWithServers,
    /// It cannot be run here; what it says was checked in another way.
    Checked,
}

/// Programs that documents may use besides `lacuna`.
const PROGRAMS: &[&str] = &[
    "cat", "cd", "cp", "cut", "diff", "export", "grep", "head", "kill", "ls", "mkdir", "printf", "rm", "sed", "sort", "tail",
    "timeout", "wc",
];

/// Files of commands that need a real server on the machine.
const SERVERS: &[&str] = &["experiments/xmpp-regions.toml"];

/// What is checked of a command that is not run.
type Check = fn(&str);

/// What cannot be run in a test: how it begins, and what is checked instead.
const ELSEWHERE: &[(&str, Check)] = &[
    // Installs packages: they must be those that ./test installs, or fonts.
    ("apt-get install", packages_are_known),
    // Runs this test: the program must be there, and take the option.
    ("./test", test_takes_the_option),
    // Take minutes: the benchmark or test must be there.
    ("cargo bench", target_is_there),
    ("cargo test", target_is_there),
    // Builds with optimisation: the package must have the program that is under test.
    ("cargo install --locked --path harness/cli", |_| assert!(root().join("harness/cli/src/main.rs").is_file())),
    // Wants another flag from root than from others, and `browser.rs` does the same: it must be a report that it draws.
    ("chromium --headless", |command| assert!(command.ends_with("/report.html"), "{command}")),
    // Needs mdBook, which is not needed for anything else: what it reads must be there.
    ("mdbook build docs", |_| assert!(root().join("docs/book.toml").is_file())),
];

/// What documents name that stands elsewhere in a test. Small parts of the same fonts are among the files of the tests.
const STAND_INS: &[(&str, &str)] = &[
    ("cargo run --release -- ", "lacuna "),
    (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../content/tests/fonts/han.otf"),
    ),
    (
        "/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../content/tests/fonts/arabic.ttf"),
    ),
    (
        "/usr/share/fonts/truetype/noto/NotoSerifTibetan-Regular.ttf",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../content/tests/fonts/tibetan.ttf"),
    ),
];

fn packages_are_known(command: &str) {
    let test = fs::read_to_string(root().join("test")).unwrap();
    for package in command.split_ascii_whitespace().skip(2).filter(|word| !word.starts_with('-')) {
        let known = test.split(|it: char| it.is_whitespace() || it == ';' || it == '\'').any(|word| word == package);
        assert!(known || package.starts_with("fonts-noto-"), "{command}: ./test does not install `{package}`");
    }
}

fn test_takes_the_option(command: &str) {
    let test = fs::read_to_string(root().join("test")).unwrap();
    for option in command.split_ascii_whitespace().skip(1) {
        assert!(test.contains(&format!("{option})")), "{command}: ./test knows no {option}");
    }
}

/// `cargo bench -p PACKAGE --bench NAME` and `cargo test -p PACKAGE --test NAME`: whether there is such a thing.
fn target_is_there(command: &str) {
    let words: Vec<&str> = command.split('#').next().unwrap().split_ascii_whitespace().collect();
    let [_, kind, "-p", package, flag, name, ..] = words[..] else {
        panic!("{command}: write cargo bench -p PACKAGE --bench NAME")
    };
    assert_eq!(flag, format!("--{kind}"), "{command}");
    let folder = root().join("harness").join(package.strip_prefix("lacuna-").expect("a package of this project"));
    let folder = folder.join(if kind == "bench" { "benches" } else { "tests" });
    let found = folder.join(format!("{name}.rs")).is_file() || folder.join(name).join("main.rs").is_file();
    assert!(found, "{command}: there is no {name} in {}", folder.display());
}

/// The command behind the variables that are set for it alone.
fn without_variables(command: &str) -> &str {
    match command.split_once(' ') {
        Some((first, rest))
            if first.split_once('=').is_some_and(|(name, value)| is_variable(name) && !value.starts_with("$(")) =>
        {
            without_variables(rest.trim_start())
        }
        _ => command,
    }
}

/// The commands of a block, each with the line that it begins on: lines that end with a backslash go on in the next.
pub fn commands(text: &str, first_line: usize) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (line, text) in (first_line..).zip(text.lines()) {
        if goes_on {
            let (_, command) = commands.last_mut().unwrap();
            command.push('\n');
            command.push_str(text);
        } else if !text.trim().is_empty() && !text.trim_start().starts_with('#') {
            commands.push((line, text.trim_start().to_owned()));
        } else {
            continue;
        }
        goes_on = text.ends_with('\\');
    }
    commands
}

/// Whether a line is a command, by the program that it begins with.
fn is_command(command: &str) -> bool {
    let command = without_variables(command);
    let word = command.split_ascii_whitespace().next().unwrap_or_default();
    let program = word.split_once("=$(").filter(|(name, _)| is_variable(name)).map_or(word, |(_, program)| program);
    let is_assignment = word.split_once('=').is_some_and(|(name, _)| is_variable(name)) && program == word;
    command.starts_with("cargo run --release -- ") || is_assignment || program == "lacuna" || PROGRAMS.contains(&program)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|it| it.is_ascii_uppercase() || it == '_')
}

/// Says what is done with a command; one that is not known fails the test.
pub fn sort(place: &str, command: &str) -> Done {
    let bare = without_variables(command);
    if let Some((_, check)) = ELSEWHERE.iter().find(|(begins, _)| bare.starts_with(begins)) {
        check(bare);
        return Done::Checked;
    }
    assert!(
        is_command(command),
        "{place}: `{command}` begins with no program that documents use (if it is none, fence it as ```text; else add it to documents/shell.rs)"
    );
    if SERVERS.iter().any(|server| command.contains(server)) { Done::RunWithServers } else { Done::Run }
}

/// The command as it is run: with the program under test, and what it must end with, if a comment says so (`# exit code 2`).
pub fn runnable(command: &str) -> String {
    let command = STAND_INS.iter().fold(command.to_owned(), |command, (named, is)| command.replace(named, is));
    match command.rsplit_once("# exit code ") {
        Some((command, code)) => {
            let code: u8 = code.trim().parse().expect("a number behind `# exit code`");
            format!("code=0; {{ {}; }} || code=$?; [ \"$code\" -eq {code} ]", command.trim())
        }
        None => command,
    }
}

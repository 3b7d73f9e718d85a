//! The log on stderr.

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::prelude::*;

use crate::exit::Failure;
use crate::screen::Screen;

/// The form of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line, the progress off a terminal included.
    Json,
}

/// Starts the log. What is written follows `RUST_LOG`, by default warnings and errors.
pub fn start(format: LogFormat, screen: &Screen) -> Result<(), Failure> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env();
    let filter = filter.map_err(|error| Failure::input(format!("RUST_LOG: {error}")))?;
    let filter = match format {
        LogFormat::Text => filter,
        LogFormat::Json => filter.add_directive(crate::progress::TARGET_DIRECTIVE.parse().map_err(Failure::fault)?),
    };
    let registry = tracing_subscriber::registry().with(filter_fn(is_safe)).with(filter);
    match format {
        LogFormat::Text => {
            let layer = tracing_subscriber::fmt::layer().with_writer(screen.clone());
            registry.with(layer.with_ansi(Screen::is_terminal() && console::colors_enabled_stderr())).init();
        }
        LogFormat::Json => registry.with(tracing_subscriber::fmt::layer().json().with_writer(screen.clone())).init(),
    }
    Ok(())
}

/// At `debug` and `trace` the libraries below write out what goes over the wire, logins among it. Only Lacuna's own crates,
/// which keep secrets in types that do not show them, may be that talkative.
fn is_safe(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || metadata.target().starts_with("lacuna")
}

//! Where a server's log goes: lines on the standard error stream, as text or JSON.

use napi_derive::napi;
use tracing::{Dispatch, Level};

/// The least important line that is written.
#[napi(string_enum = "lowercase")]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// And what may need a look.
    Warn,
    /// And each request.
    Info,
    /// And how it came to its answer.
    Debug,
}

/// How lines are written.
#[napi(string_enum = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A sink for one server's lines; without a level it takes none.
pub fn log_to_stderr(level: Option<LogLevel>, format: LogFormat) -> Dispatch {
    let level = match level {
        None => return Dispatch::none(),
        Some(LogLevel::Error) => Level::ERROR,
        Some(LogLevel::Warn) => Level::WARN,
        Some(LogLevel::Info) => Level::INFO,
        Some(LogLevel::Debug) => Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false);
    match format {
        LogFormat::Text => Dispatch::new(lines.finish()),
        LogFormat::Json => Dispatch::new(lines.json().finish()),
    }
}

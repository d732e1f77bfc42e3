//! Where a server's log goes: lines on the standard error stream, as text or JSON.

use tracing::{Dispatch, Level};

/// A sink for one server's lines of a level (`error`, `warn`, `info`, `debug`) and above; without a level it takes none.
pub fn log_to_stderr(level: Option<&str>, is_json: bool) -> Dispatch {
    let Some(level) = level.and_then(|level| level.parse::<Level>().ok()) else { return Dispatch::none() };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false);
    if is_json { Dispatch::new(lines.json().finish()) } else { Dispatch::new(lines.finish()) }
}

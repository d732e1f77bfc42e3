//! Where the server is and how to come in, from the settings.

use std::time::Duration;

use holdfast_base::{Error, ErrorKind, Result};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::settings::{PostgresConnection, PostgresSettings, PostgresSsl};

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// When a silent server is asked whether it lives, and how long bytes may stay unacknowledged.
const SILENCE: Duration = Duration::from_secs(30);

/// A server, and how to speak with it.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) ssl: Option<PostgresSsl>,
}

/// Reads the settings.
pub(super) fn address(settings: &PostgresSettings) -> Result<Address> {
    let connection = settings.connection.clone().unwrap_or_default();
    let (mut config, mut ssl_of_url) = match (&settings.connection_string, connection.port) {
        (Some(text), Some(port)) => parse(&with_port(text, port))?,
        (Some(text), None) => parse(text)?,
        (None, _) => (Config::new(), None),
    };
    merge(&mut config, &connection)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host("localhost");
    }
    if let Some(ssl) = connection.ssl {
        ssl_of_url = Some(if ssl.enabled { Asked::Tls(ssl) } else { Asked::Plain });
    }
    let ssl = match ssl_of_url {
        None => None,
        Some(Asked::Plain) => {
            config.ssl_mode(SslMode::Disable);
            None
        }
        Some(Asked::Tls(ssl)) => {
            config.ssl_mode(SslMode::Require);
            Some(ssl)
        }
    };
    if config.get_application_name().is_none() {
        config.application_name("holdfast");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 3).keepalives_retries(3).tcp_user_timeout(SILENCE);
    Ok(Address { config, ssl })
}

/// The same URL with a port where it names a host without one: the library would take that for 5432, said or not.
fn with_port(text: &str, port: u16) -> String {
    let start = text.find("://").map_or(text.len(), |at| at + 3);
    let end = text[start..].find(['/', '?']).map_or(text.len(), |at| start + at);
    let host = text[start..end].rsplit('@').next().unwrap_or_default();
    // A port stands behind the brackets of an IPv6 address.
    let has_port = host.rsplit(']').next().is_some_and(|behind| behind.contains(':'));
    // Several hosts have several ports, which one setting can't say.
    if host.is_empty() || has_port || host.contains(',') {
        return text.to_owned();
    }
    format!("{}:{port}{}", &text[..end], &text[end..])
}

/// What a connection string says of TLS.
enum Asked {
    Plain,
    Tls(PostgresSsl),
}

/// Reads a connection string. Of `sslmode`, the library knows less than the world writes: all of it is read here.
fn parse(text: &str) -> Result<(Config, Option<Asked>)> {
    let invalid = |why: &str| {
        let message = format!("connectionString is none ({why}); give postgres://user:password@host:port/database");
        Error::new(ErrorKind::Config, "INVALID_SETTINGS", message)
    };
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    let mut asked = None;
    let mut ca = None;
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("sslmode", "disable") | ("ssl", "false") => asked = Some(Asked::Plain),
            ("sslmode", "allow" | "prefer") => asked = None,
            ("sslmode", "require" | "verify-ca" | "verify-full") | ("ssl", "true") => {
                asked = Some(Asked::Tls(PostgresSsl::verified()));
            }
            ("sslmode", "no-verify") => asked = Some(Asked::Tls(PostgresSsl::unverified())),
            ("sslmode" | "ssl", _) => {
                return Err(invalid("sslmode is disable, prefer, require, verify-full or no-verify"));
            }
            ("sslrootcert", "system") => {}
            ("sslrootcert", file) => {
                let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy().into_owned();
                ca = Some(std::fs::read_to_string(file).map_err(|_| invalid("sslrootcert can't be read"))?);
            }
            _ => kept.push(pair),
        }
    }
    if let (Some(Asked::Tls(ssl)), Some(ca)) = (&mut asked, ca) {
        ssl.ca = Some(ca);
    }
    let url = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
    // The library's message can repeat parts of the text, and with them a password.
    let config = url.parse::<Config>().map_err(|_| invalid("it can't be parsed"))?;
    Ok((config, asked))
}

/// Adds the settings of `connection`; what both say must be the same.
fn merge(config: &mut Config, connection: &PostgresConnection) -> Result<()> {
    if let Some(host) = &connection.host {
        let given = config.get_hosts().to_vec();
        if given.is_empty() {
            config.host(host.as_str());
        } else if given != [host_of(host)] {
            return Err(conflict("host"));
        }
    }
    if let Some(port) = connection.port {
        match config.get_ports() {
            [] => {
                config.port(port);
            }
            [given] if *given == port => {}
            _ => return Err(conflict("port")),
        }
    }
    if let Some(database) = &connection.database {
        same(config.get_dbname(), database, "database")?;
        config.dbname(database.as_str());
    }
    if let Some(user) = &connection.user {
        same(config.get_user(), user, "user")?;
        config.user(user.as_str());
    }
    if let Some(password) = &connection.password {
        if config.get_password().is_some_and(|given| given != password.as_bytes()) {
            return Err(conflict("password"));
        }
        config.password(password.as_bytes());
    }
    Ok(())
}

/// As the library reads a host: a path is a folder of sockets.
fn host_of(text: &str) -> Host {
    #[cfg(unix)]
    if text.starts_with('/') {
        return Host::Unix(text.into());
    }
    Host::Tcp(text.to_owned())
}

fn same(of_url: Option<&str>, of_connection: &str, name: &str) -> Result<()> {
    if of_url.is_none_or(|given| given == of_connection) { Ok(()) } else { Err(conflict(name)) }
}

fn conflict(name: &str) -> Error {
    let message = format!("connection.{name} and connectionString are both given and differ; give one of them");
    Error::new(ErrorKind::Config, "SETTING_CONFLICT", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Address> {
        address(&PostgresSettings { connection_string: Some(url.to_owned()), ..PostgresSettings::default() })
    }

    #[test]
    fn every_sslmode_of_the_world_is_read() {
        let mode = |url: &str| of(url).map(|it| (it.config.get_ssl_mode(), it.ssl.map(|ssl| ssl.verify)));
        assert_eq!(mode("postgres://u:p@h/d").unwrap(), (SslMode::Prefer, None));
        assert_eq!(mode("postgres://u:p@h/d?sslmode=disable").unwrap(), (SslMode::Disable, None));
        assert_eq!(mode("postgres://u:p@h/d?sslmode=require").unwrap(), (SslMode::Require, Some(true)));
        assert_eq!(mode("postgres://u:p@h/d?sslmode=verify-full").unwrap(), (SslMode::Require, Some(true)));
        assert_eq!(mode("postgres://u:p@h/d?sslmode=no-verify").unwrap(), (SslMode::Require, Some(false)));
        assert_eq!(mode("postgres://u:p@h/d?sslmode=maybe").unwrap_err().code(), "INVALID_SETTINGS");
    }

    #[test]
    fn an_unreadable_string_is_refused_without_showing_its_password() {
        let error = of("postgres://u:secret@h:port/d").err().unwrap();
        assert_eq!((error.code(), error.message().contains("secret")), ("INVALID_SETTINGS", false));
    }

    #[test]
    fn the_string_and_the_settings_add_up_unless_they_differ() {
        let settings = |user: &str| PostgresSettings {
            connection_string: Some("postgres://ada@db.example/app?application_name=x".to_owned()),
            connection: Some(PostgresConnection {
                user: Some(user.to_owned()),
                port: Some(6000),
                ..PostgresConnection::default()
            }),
            ..PostgresSettings::default()
        };
        let config = address(&settings("ada")).unwrap().config;
        assert_eq!((config.get_ports(), config.get_application_name()), (&[6000][..], Some("x")));
        assert_eq!(address(&settings("bob")).err().unwrap().code(), "SETTING_CONFLICT");
    }

    #[test]
    fn a_port_of_the_settings_stands_where_the_string_names_none() {
        for (given, wanted) in [
            ("postgres://db.example", "postgres://db.example:6000"),
            ("postgres://ada:a%3Ab@db.example?x=1", "postgres://ada:a%3Ab@db.example:6000?x=1"),
            ("postgres://[::1]/app", "postgres://[::1]:6000/app"),
            ("postgres://[::1]:5432/app", "postgres://[::1]:5432/app"),
            ("postgres://db.example:5432/app", "postgres://db.example:5432/app"),
            ("postgres:///app", "postgres:///app"),
            ("host=db.example", "host=db.example"),
        ] {
            assert_eq!(with_port(given, 6000), wanted);
        }
    }
}

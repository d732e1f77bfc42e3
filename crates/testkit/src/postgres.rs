//! A PostgreSQL server for tests: a real one, of this machine's packages, in a folder of its own.
//!
//! PostgreSQL refuses root, so root starts it as `postgres` or `nobody`.
//! A shell stands between: when our end of its pipe is closed, also by our death, it stops the server and
//! throws the data away.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running server whose folder goes with it.
pub struct PostgresServer {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
    shell: Option<Child>,
}

impl PostgresServer {
    /// Makes a cluster and starts it. `trust` lets the user `postgres` in without a password.
    pub fn start() -> Self {
        let bin = installed().expect("PostgreSQL is installed (`node scripts/run.mjs tools` does that)");
        let folder = tempfile::Builder::new().prefix("holdfast-pg-").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if let Some((user, group)) = foreign_user() {
            chown(&data, Some(user), Some(group)).unwrap();
        }
        let mut server = Self { folder, bin, port: free_port(), shell: None };
        let made = server
            .command("initdb")
            .args(["-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        server.restart();
        server
    }

    /// Stops it if it runs, and starts it on the same port and data.
    pub fn restart(&mut self) {
        self.stop();
        let mut settings = format!("-p {} -c listen_addresses=127.0.0.1", self.port);
        let _ = write!(settings, " -c unix_socket_directories= -c fsync=off -c max_connections=60");
        let script = "\"$0/pg_ctl\" start -s -w -D data -l data/log -o \"$1\" && echo ready; \
             read -r word; \"$0/pg_ctl\" stop -s -m fast -D data; [ \"$word\" = keep ] || rm -rf data/*";
        let mut shell = self
            .plain(Path::new("/bin/sh"))
            .args(["-c", script])
            .arg(&self.bin)
            .arg(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(self.folder.path().join("data/log")).unwrap_or_default();
        assert_eq!(line, "ready\n", "PostgreSQL did not start: {}", log());
        self.shell = Some(shell);
    }

    /// Stops it, as an operator does: running transactions are cut off.
    pub fn stop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            let mut pipe = shell.stdin.take().unwrap();
            pipe.write_all(b"keep\n").unwrap();
            shell.wait().unwrap();
        }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A URL of the database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn command(&self, name: &str) -> Command {
        self.plain(&self.bin.join(name))
    }

    fn plain(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        if let Some((user, group)) = foreign_user() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The newest installed server's programs.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    places.sort();
    places.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    places.into_iter().rev().find(|place| place.join("initdb").exists() && place.join("pg_ctl").exists())
}

/// Whom root starts the server as; nobody else when we aren't root.
fn foreign_user() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").map(|it| std::os::unix::fs::MetadataExt::uid(&it));
    if own.is_ok_and(|uid| uid != 0) {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(of("postgres").or_else(|| of("nobody")).expect("a user that isn't root"))
}

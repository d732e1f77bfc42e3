//! Which process began an upload, and whether it still runs.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A process: on which machine (since which start of it, in which set of process ids), under which id, and a
/// random name, since ids are used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    machine: String,
    process: u32,
    instance: String,
}

impl Owner {
    pub(super) fn this_process() -> Self {
        static THIS: LazyLock<Owner> = LazyLock::new(|| Owner {
            machine: machine(),
            process: std::process::id(),
            instance: uuid::Uuid::new_v4().simple().to_string(),
        });
        THIS.clone()
    }

    /// The folder of its notes.
    pub(super) fn folder(&self) -> String {
        format!("{}~{}~{}/", self.machine, self.process, self.instance)
    }

    /// The owner of a folder.
    pub(super) fn of(folder: &str) -> Option<Self> {
        let mut parts = folder.strip_suffix('/')?.split('~');
        let (machine, process, instance) = (parts.next()?, parts.next()?, parts.next()?);
        let process = process.parse().ok()?;
        parts.next().is_none().then(|| Self { machine: machine.to_owned(), process, instance: instance.to_owned() })
    }

    /// Whether it has certainly ended, as far as this process can know.
    pub(super) fn is_gone(&self, this: &Self) -> bool {
        self.machine == this.machine
            && self.instance != this.instance
            && (self.process == this.process || !may_run(self.process))
    }
}

/// What sets of process ids have in common only where they are the same set: the machine's name, this start of
/// it, and the container. Where that can't be told, a name that no other process has.
fn machine() -> String {
    let parts = place().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    Sha256::digest(parts).iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(target_os = "linux")]
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}\n{boot}\n{}", rustix::system::uname().nodename().to_string_lossy(), processes.display()))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn place() -> Option<String> {
    Some(rustix::system::uname().nodename().to_string_lossy().into_owned())
}

#[cfg(not(unix))]
fn place() -> Option<String> {
    None
}

/// Whether a process with this id may run here.
#[cfg(unix)]
fn may_run(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    id.is_none_or(|id| rustix::process::test_kill_process(id) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn may_run(_process: u32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_owner() {
        let owner = Owner::this_process();
        assert_eq!(Owner::of(&owner.folder()), Some(owner));
        for folder in ["", "a/", "a~b~c/", "a~1~c~d/", "a~1~c"] {
            assert_eq!(Owner::of(folder), None, "{folder}");
        }
    }

    #[test]
    fn only_an_ended_process_of_this_machine_is_gone() {
        let this = Owner::this_process();
        let before = Owner { instance: "before".to_owned(), ..this.clone() };
        assert!(before.is_gone(&this), "this process has its id now");
        assert!(!this.is_gone(&this));
        assert!(!Owner { process: 1, ..before.clone() }.is_gone(&this), "it runs");
        assert!(Owner { process: 0x7fff_fff0, ..before.clone() }.is_gone(&this), "no process has such an id");
        assert!(!Owner { machine: "other".to_owned(), process: 0x7fff_fff0, ..before }.is_gone(&this));
    }
}

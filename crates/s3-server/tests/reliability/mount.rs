use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of its own, mounted below a temporary folder. Only root may mount.
pub(crate) struct Mount {
    point: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    /// An empty file system in memory, of that many MiB; `None` when this process may not mount.
    pub(crate) fn of_mib(size: u32) -> Option<Self> {
        let mount = Self::point();
        let size = format!("size={size}m");
        run(&["-t", "tmpfs", "-o", &size, "tmpfs"], &mount.point).then_some(mount)
    }

    /// A folder of another file system, for reading only; `None` when this process may not mount.
    pub(crate) fn read_only(folder: &Path) -> Option<Self> {
        let mount = Self::point();
        let is_mounted = run(&["--bind", folder.to_str()?], &mount.point);
        (is_mounted && run(&["-o", "remount,bind,ro"], &mount.point)).then_some(mount)
    }

    fn point() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let point = folder.path().join("mount");
        std::fs::create_dir(&point).unwrap();
        Self { point, _folder: folder }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.point
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a server that a failing test leaves behind must not keep it.
        let _ = Command::new("umount").arg("-l").arg(&self.point).output();
    }
}

fn run(options: &[&str], point: &Path) -> bool {
    Command::new("mount").args(options).arg(point).output().is_ok_and(|output| output.status.success())
}

/// Says why a test that mounts does nothing.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn skip() {
    eprintln!("skipped: only root may mount the small file system that this test fills or protects");
}

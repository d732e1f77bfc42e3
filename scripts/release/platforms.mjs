// The platforms that an addon is built for.

/** Rust's name of a platform, and that of Node and npm. */
export const PLATFORMS = {
  "x86_64-unknown-linux-gnu": "linux-x64-gnu",
  "aarch64-unknown-linux-gnu": "linux-arm64-gnu",
  "x86_64-unknown-linux-musl": "linux-x64-musl",
  "aarch64-unknown-linux-musl": "linux-arm64-musl",
  "x86_64-apple-darwin": "darwin-x64",
  "aarch64-apple-darwin": "darwin-arm64",
  "x86_64-pc-windows-msvc": "win32-x64-msvc",
};

/** The file of an addon, as the loader looks for it. */
export const nodeFile = (target) => `holdfast.${PLATFORMS[target]}.node`;

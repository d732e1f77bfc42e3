//! `createStore`: a native handle on one adapter. `lib/store/` is the other side.

mod blobs;
mod crossing;
mod entries;
mod events;
mod handle;
mod news;
mod peers;
mod step;

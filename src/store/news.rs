//! News of what others commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_store::{Hear, News};
use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use serde_json::json;

/// Hears news as JSON; weak, so that it never keeps the process alive.
pub type Listener = ThreadsafeFunction<String, (), String, Status, false, true, 1024>;

/// How long JavaScript is given to work off a full line of news.
const PAUSE: Duration = Duration::from_millis(100);

/// Passes news on. Where JavaScript is too slow to take them, it hears that there was a gap.
pub fn hear(listener: Listener) -> Hear {
    let listener = Arc::new(listener);
    let is_late = Arc::new(AtomicBool::new(false));
    Arc::new(move |news| {
        let is_full = listener.call(as_json(&news), ThreadsafeFunctionCallMode::NonBlocking) == Status::QueueFull;
        if is_full && !is_late.swap(true, Ordering::AcqRel) {
            let (listener, is_late) = (Arc::clone(&listener), Arc::clone(&is_late));
            tokio::spawn(async move {
                // Before the word of the gap: what is refused from now on needs another.
                loop {
                    tokio::time::sleep(PAUSE).await;
                    is_late.store(false, Ordering::Release);
                    let told = listener.call(as_json(&News::Gap), ThreadsafeFunctionCallMode::NonBlocking);
                    if told != Status::QueueFull || is_late.swap(true, Ordering::AcqRel) {
                        break;
                    }
                }
            });
        }
    })
}

fn as_json(news: &News) -> String {
    match news {
        News::Committed { changed, appended } => {
            let changed: Vec<_> = changed.iter().map(|(space, key)| json!([space.number(), key])).collect();
            json!({ "changed": changed, "appended": appended }).to_string()
        }
        News::Gap => json!({ "gap": true }).to_string(),
    }
}

//! What other processes commit, told by LISTEN and NOTIFY.
//!
//! Each commit tells which entries it changed and whether it appended; who hears it reads what it wants to know.
//! The listening connection stands beside the pool and is made when somebody first wants to hear.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use holdfast_base::Result;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio_postgres::AsyncMessage;

use super::entries::{space_named, space_of};
use super::failure::{Failure, Work};
use super::group::Group;
use super::server::{Server, quoted};
use crate::ports::{Hear, News};

/// PostgreSQL carries messages below 8,000 bytes; the frame of ours stays far below the rest.
const MESSAGE_BYTES: usize = 7_800;
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

#[derive(Deserialize, Serialize)]
struct Message {
    /// Which store it comes from: it needs no news of itself.
    from: String,
    /// Classes and keys.
    changed: Vec<(i16, String)>,
    appended: bool,
}

/// What a commit tells: one message, or several where keys are many.
pub(super) fn messages(origin: &str, group: &Group) -> Vec<String> {
    let message = || Message { from: origin.to_owned(), changed: Vec::new(), appended: false };
    let mut all = vec![Message { appended: !group.appended.is_empty(), ..message() }];
    let mut bytes = 0;
    for ((space, key), _) in group.cells.iter().filter(|(_, slot)| slot.is_changed) {
        // As long as JSON can make it.
        let length = serde_json::to_string(key).map_or(0, |text| text.len()) + 8;
        if bytes + length > MESSAGE_BYTES - 128 {
            all.push(message());
            bytes = 0;
        }
        bytes += length;
        if let Some(last) = all.last_mut() {
            last.changed.push((space_of(*space), key.clone()));
        }
    }
    // A message of strings and numbers always serialises.
    all.iter().map(|message| serde_json::to_string(message).unwrap_or_default()).collect()
}

/// Where news of a store are told, and who it is among those that tell.
#[derive(Clone)]
pub(super) struct Station {
    pub(super) server: Server,
    pub(super) channel: String,
    pub(super) origin: String,
}

/// The listening connection, when there is one.
#[derive(Default)]
pub(super) struct Listener(Mutex<Option<JoinHandle<()>>>);

impl Listener {
    /// Listens from when this answers until the store is closed. A second call takes the place of the first.
    pub(super) async fn start(&self, station: Station, hear: Hear) -> Result<()> {
        let session = Session::open(&station, &hear).await.map_err(Failure::into_error)?;
        let task = tokio::spawn(keep_listening(session, station, hear));
        if let Some(former) = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(task) {
            former.abort();
        }
        Ok(())
    }

    /// Hangs up.
    pub(super) fn stop(&self) {
        if let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens anew whenever the connection breaks, and says each time that something may have been missed.
async fn keep_listening(mut session: Session, station: Station, hear: Hear) {
    loop {
        session.ended().await;
        session = loop {
            tokio::time::sleep(RECONNECT_AFTER).await;
            match Session::open(&station, &hear).await {
                Ok(session) => break session,
                Err(failure) => tracing::debug!(?failure, "no connection to listen on; tried again later"),
            }
        };
        hear(News::Gap);
    }
}

/// A connection that listens. It ends when it is dropped.
struct Session {
    /// While it lives, the connection does.
    client: tokio_postgres::Client,
    connection: JoinHandle<()>,
}

impl Session {
    async fn open(station: &Station, hear: &Hear) -> Work<Self> {
        let (config, tls) = station.server.apart();
        let (client, mut connection) = config.connect(tls).await?;
        let (origin, hear) = (station.origin.clone(), Arc::clone(hear));
        let connection = tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(told) = message {
                    tell(told.payload(), &origin, &hear);
                }
            }
        });
        let session = Self { client, connection };
        session.client.batch_execute(&format!("listen {}", quoted(&station.channel))).await?;
        Ok(session)
    }

    async fn ended(&mut self) {
        // However it ended, it ended.
        let _ = (&mut self.connection).await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Tells what another store committed. A message that can't be read is a gap: something was said.
fn tell(payload: &str, origin: &str, hear: &Hear) {
    match serde_json::from_str::<Message>(payload) {
        Ok(message) if message.from == origin => {}
        Ok(Message { changed, appended, .. }) => {
            let changed = changed.into_iter().map(|(space, key)| (space_named(space), key)).collect();
            hear(News::Committed { changed, appended });
        }
        Err(_) => hear(News::Gap),
    }
}

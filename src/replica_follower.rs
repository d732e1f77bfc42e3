//! `createS3DataProvider` with `readOnly`: a database that follows another's log, for `lib/remult`.

use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::SystemClock;
use holdfast_replica::{Follower, FollowerSettings, FollowerStatus};
use napi_derive::napi;

use crate::replica::{Listener, Listening, Parameter, SqlRows, error_json, rows, sink, statement};
use crate::replica_bucket::ReplicaPlace;
use crate::reply::Reply;

/// An open follower.
#[napi]
pub struct ReplicaFollower {
    follower: Follower,
    listening: Listening,
}

/// How far a follower has come.
#[napi(object)]
pub struct FollowerStatusData {
    /// The generation of the log.
    pub generation: String,
    /// The last segment that is applied.
    pub position: f64,
    /// Milliseconds since it last had all there was.
    pub lag_ms: f64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Opens a follower: makes or completes the local file, and follows from there.
#[napi]
pub async fn open_follower(
    place: ReplicaPlace,
    file: String,
    poll_ms: u32,
    #[napi(ts_arg_type = "(event: string) => void")] on_event: Listener,
) -> napi::Result<Reply<ReplicaFollower>> {
    Reply::from_future(async move {
        let listening: Listening = Arc::new(Mutex::new(Some(on_event)));
        let settings = FollowerSettings { file: file.into(), poll_ms: u64::from(poll_ms) };
        let events = sink(Arc::clone(&listening));
        let follower = Follower::open(settings, place.store()?, Arc::new(SystemClock), events).await?;
        Ok(ReplicaFollower { follower, listening })
    })
    .await
}

#[napi]
impl ReplicaFollower {
    /// Runs a statement that reads.
    #[napi]
    pub async fn execute(
        &self,
        sql: String,
        #[napi(ts_arg_type = "Array<null | number | bigint | string | Uint8Array>")] values: Vec<Parameter>,
    ) -> napi::Result<Reply<SqlRows>> {
        let follower = self.follower.clone();
        Reply::from_future(async move { Ok(rows(follower.execute(statement(sql, values)?).await?)) }).await
    }

    /// Answers when everything that is stored now is applied.
    #[napi]
    pub async fn sync(&self) -> napi::Result<Reply<()>> {
        let follower = self.follower.clone();
        Reply::from_future(async move { follower.sync().await }).await
    }

    /// How far it has come.
    #[napi]
    pub fn status(&self) -> FollowerStatusData {
        let FollowerStatus { generation, position, lag_ms, last_error, .. } = self.follower.status();
        FollowerStatusData {
            generation,
            position: position as f64,
            lag_ms: lag_ms as f64,
            last_error: last_error.map(|error| error_json(&error).to_string()),
        }
    }

    /// Ends, and lets go of the listener.
    #[napi]
    pub async fn close(&self) -> napi::Result<Reply<()>> {
        let (follower, listening) = (self.follower.clone(), Arc::clone(&self.listening));
        Reply::from_future(async move {
            follower.close().await;
            drop(listening.lock().unwrap_or_else(PoisonError::into_inner).take());
            Ok(())
        })
        .await
    }
}

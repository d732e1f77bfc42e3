//! Several peers: what each writes, all see.

use std::sync::{Arc, Mutex};

use holdfast_base::SystemClock;
use holdfast_store::adapters::p2p::P2p;
use holdfast_store::ports::Peers;
use holdfast_store::{Adapter, Batch, News, PeerNews, Space, Step};

use crate::group::{Member, key, settings, until, until_equal};

async fn has(member: &Member, space: Space, name: &str, value: &str) {
    until(&format!("{name} is {value}"), || async { member.value(space, name).await.as_deref() == Some(value) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_there_before_and_what_comes_later_reaches_the_other_peer() {
    let one = Member::join(&[]).await;
    one.put(Space::Records, "before", r#"{"a":1}"#).await;
    one.append("s", "1").await;
    let other = Member::join(&[&one]).await;
    has(&other, Space::Records, "before", r#"{"a":1}"#).await;
    other.put(Space::Kv, "later", "2").await;
    has(&one, Space::Kv, "later", "2").await;
    other.append("s", "2").await;
    one.commit(Step::delete(Space::Records, key("before"))).await;
    until("the delete arrives", || async { other.value(Space::Records, "before").await.is_none() }).await;
    until("both events are on both", || async { one.all().await.1.len() == 2 && other.all().await.1.len() == 2 }).await;
    assert_eq!(one.all().await, other.all().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_three_peers_that_had_not_met_merge_to_one_store() {
    let first = Member::join(&[]).await;
    let second = Member::join(&[]).await;
    let members = [&first, &second];
    for (at, member) in members.iter().enumerate() {
        member.put(Space::Records, "shared", &format!("{{\"f{at}\":{at}}}")).await;
        member.put(Space::Kv, "last", &at.to_string()).await;
        member.commit(Step::Add { space: Space::Kv, key: key("count"), by: 1.0 }).await;
        member.append("s", &at.to_string()).await;
    }
    // The third knows both; they reach each other through it alone.
    let third = Member::join(&[&first, &second]).await;
    third.commit(Step::Add { space: Space::Kv, key: key("count"), by: 5.0 }).await;
    for member in [&first, &second, &third] {
        has(member, Space::Kv, "count", "7").await;
        has(member, Space::Records, "shared", r#"{"f0":0,"f1":1}"#).await;
        has(member, Space::Kv, "last", "1").await;
        until("both events are there", || async { member.all().await.1.len() == 2 }).await;
    }
    until_equal(&[&first, &second, &third], "all three hold the same").await;
    let versions = first.all().await.1.into_iter().map(|(version, _)| version).collect::<Vec<_>>();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_entries_reach_an_empty_peer() {
    let one = Member::join(&[]).await;
    for chunk in 0..10 {
        let steps = (0..1000).map(|n| Step::put(Space::Kv, key(&format!("k{chunk}-{n}")), n.to_string())).collect();
        one.store.commit(Batch { steps, atomic: true }).await.unwrap();
    }
    let other = Member::join(&[&one]).await;
    until("all have come", || async { other.all().await.0.len() == 10_000 }).await;
    until_equal(&[&one, &other], "both hold the same").await;
    until("both say so", || async {
        let is_complete = |member: &Member| {
            let told = member.told();
            told.iter().any(|news| matches!(news, PeerNews::SyncComplete { .. }))
        };
        is_complete(&one) && is_complete(&other)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_tell_of_each_other_and_of_conflicts() {
    let one = Member::join(&[]).await;
    let other = Member::join(&[]).await;
    one.put(Space::Records, "r", r#"{"a":1,"b":1}"#).await;
    other.put(Space::Records, "r", r#"{"a":2,"b":1}"#).await;
    let third = Member::join(&[&one, &other]).await;
    let conflict = |member: &Member| {
        member.told().into_iter().find_map(|news| match news {
            PeerNews::Conflict { key, path, local, remote } => Some((key, path, local, remote)),
            _ => None,
        })
    };
    until("somebody tells of the conflict", || async {
        [&one, &other, &third].into_iter().any(|member| conflict(member).is_some())
    })
    .await;
    let (name, path, local, remote) = [&one, &other, &third].into_iter().find_map(conflict).unwrap();
    assert_eq!((name.as_str(), path), ("r", vec!["a".to_owned()]));
    assert_eq!([local.as_deref(), remote.as_deref()].map(Option::unwrap).len(), 2);
    assert_ne!(local, remote);
    until("the third sees two peers", || async { third.store.connected().len() == 2 }).await;
    let third_id = third.store.id();
    third.store.close().await.unwrap();
    let is_gone = |news: &PeerNews| matches!(news, PeerNews::Disconnected { peer, .. } if *peer == third_id);
    until("its end is told", || async { one.told().iter().any(is_gone) }).await;
    until("it is listed no more", || async { one.store.connected().is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_while_a_peer_was_closed_comes_when_it_opens_again() {
    let one = Member::join(&[]).await;
    let other = Member::join(&[&one]).await;
    one.put(Space::Kv, "a", "1").await;
    has(&other, Space::Kv, "a", "1").await;
    let id = other.store.id();
    other.store.close().await.unwrap();
    one.put(Space::Kv, "a", "2").await;
    let path = other.folder.path().join("app.db");
    let again = Member::open(settings(&path, "topic", &one.store.addresses()), other.folder).await;
    assert_eq!(again.store.id(), id, "a peer stays who it is");
    has(&again, Space::Kv, "a", "2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_other_peers_are_news() {
    let one = Member::join(&[]).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    one.store.follow(Arc::new(move |news| hears.lock().unwrap().push(news))).await.unwrap();
    let other = Member::join(&[&one]).await;
    other.put(Space::Records, "r", "1").await;
    other.append("s", "1").await;
    let told = |wanted: fn(&News) -> bool| heard.lock().unwrap().iter().any(wanted);
    until("the record is told", || async {
        told(|news| matches!(news, News::Committed { changed, .. } if changed.contains(&(Space::Records, "r".to_owned()))))
    })
    .await;
    until("the append is told", || async { told(|news| matches!(news, News::Committed { appended: true, .. })) }).await;
}

#[tokio::test]
async fn a_store_that_is_open_is_opened_by_nobody_else() {
    let one = Member::join(&[]).await;
    let settings = settings(&one.folder.path().join("app.db"), "topic", &[]);
    let refused = P2p::open(settings.clone(), Arc::new(SystemClock)).await.err().unwrap();
    assert_eq!(refused.code(), "STORE_IN_USE");
    one.store.close().await.unwrap();
    drop(one.store);
    P2p::open(settings, Arc::new(SystemClock)).await.unwrap().close().await.unwrap();
}

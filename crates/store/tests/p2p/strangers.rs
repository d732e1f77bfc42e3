//! Who does not belong to the topic learns nothing and changes nothing.

use std::net::UdpSocket;

use holdfast_store::Space;
use holdfast_store::ports::Peers;

use crate::group::{Member, settings, until};

async fn stranger(to: &Member, topic: &str, secret: Option<&str>) -> Member {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&folder.path().join("app.db"), topic, &to.store.addresses());
    settings.secret = secret.map(str::to_owned);
    Member::open(settings, folder).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_learns_nothing_while_a_member_does() {
    let one = Member::join(&[]).await;
    one.put(Space::Kv, "a", "1").await;
    let strangers = [
        stranger(&one, "topic", Some("another secret")).await,
        stranger(&one, "topic", None).await,
        stranger(&one, "another topic", Some("a secret of the test")).await,
    ];
    for stranger in &strangers {
        stranger.put(Space::Kv, "theirs", "1").await;
    }
    // They dial from now on, again and again; a member that comes after them is served.
    let member = Member::join(&[&one]).await;
    until("the member has it", || async { member.value(Space::Kv, "a").await.is_some() }).await;
    for stranger in &strangers {
        assert!(stranger.told().is_empty(), "{:?}", stranger.told());
        assert_eq!(stranger.value(Space::Kv, "a").await, None);
    }
    assert_eq!(one.value(Space::Kv, "theirs").await, None);
    assert_eq!(one.store.connected().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_from_the_network_changes_nothing() {
    let one = Member::join(&[]).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 0..2000_usize {
        let bytes = (0..length % 1400).map(|at| u8::try_from((at * 31 + length) % 256).unwrap()).collect::<Vec<_>>();
        socket.send_to(&bytes, &one.store.addresses()[0]).unwrap();
    }
    one.put(Space::Kv, "a", "1").await;
    let member = Member::join(&[&one]).await;
    until("a member is served", || async { member.value(Space::Kv, "a").await.is_some() }).await;
}

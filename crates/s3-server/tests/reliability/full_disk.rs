use crate::client::Fixture;
use crate::mount::{Mount, skip};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_what_is_there_and_takes_writes_again_when_there_is_room() {
    let Some(disk) = Mount::of_mib(12) else { return skip() };
    let s3 = Fixture::with(|settings| settings.directory = disk.path().into()).await;
    let body = |n: usize| vec![b'a' + u8::try_from(n).unwrap(); MIB];
    let mut kept = 0;
    let refused = loop {
        let put = s3.put(&format!("/bkt/{kept}"), &body(kept)).await;
        if put.status != 200 {
            break put;
        }
        kept += 1;
        assert!(kept < 16, "a disk of 12 MiB took {kept} MiB");
    };
    assert!(kept > 4, "only {kept} objects of 1 MiB fitted into 12 MiB");
    assert_eq!(refused.status, 500);
    assert!(refused.text().contains("DISK_FULL"), "{}", refused.text());
    let over = s3.put("/bkt/0", &body(1)).await;
    assert_eq!(over.status, 500);
    for n in 0..kept {
        assert!(s3.get(&format!("/bkt/{n}")).await.body == body(n), "object {n} has changed");
    }
    assert_eq!(s3.get(&format!("/bkt/{kept}")).await.status, 404);
    assert_eq!(s3.get("/bkt").await.elements("Key").len(), kept);

    assert_eq!(s3.send("DELETE", "/bkt/1", &[], b"").await.status, 204);
    assert_eq!(s3.send("DELETE", "/bkt/2", &[], b"").await.status, 204);
    assert_eq!(s3.put("/bkt/after", &body(3)).await.status, 200);
    assert!(s3.get("/bkt/after").await.body == body(3));
    s3.server.stop().await;
}

//! What the crate object_store is asked to do: `object-store-jobs JOB`. A job that ends without a panic has found all
//! right. Where the server is and who may sign stands in the environment, as the AWS SDKs read it.

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3ConditionalPut, S3CopyIfNotExists};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, UpdateVersion};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // No connection here is encrypted, but the HTTP client wants a provider all the same.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let job = std::env::args().nth(1).unwrap_or_default();
    let store = AmazonS3Builder::from_env()
        .with_allow_http(true)
        .with_bucket_name(&job)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
        .build()
        .unwrap();
    match job.as_str() {
        "paths" => awkward_paths(&store).await,
        "parts" => parts_and_ranges(&store).await,
        "conditions" => conditions(&store).await,
        other => panic!("no job is called {other:?}"),
    }
}

async fn text_of(store: &AmazonS3, path: &Path) -> String {
    String::from_utf8(store.get(path).await.unwrap().bytes().await.unwrap().to_vec()).unwrap()
}

async fn awkward_paths(store: &AmazonS3) {
    let names = ["a b", "plus+plus", "per%cent", "hash#tag", "question?mark", "Grüße", "🦀", "a..b", "~tilde!'()*"];
    let paths: Vec<Path> = names.iter().map(|name| Path::from(format!("folder/{name}"))).collect();
    for path in &paths {
        store.put(path, PutPayload::from(path.to_string())).await.unwrap();
    }
    let listed: Vec<ObjectMeta> = store.list(None).try_collect().await.unwrap();
    let mut expected = paths.clone();
    expected.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
    assert_eq!(listed.iter().map(|meta| meta.location.clone()).collect::<Vec<_>>(), expected);
    for path in &paths {
        assert_eq!(text_of(store, path).await, path.to_string());
        let copy = Path::from(format!("copies/{path}"));
        store.copy(path, &copy).await.unwrap();
        store.rename(&copy, &Path::from("renamed")).await.unwrap();
        assert_eq!(text_of(store, &Path::from("renamed")).await, path.to_string());
    }
    let folders = store.list_with_delimiter(None).await.unwrap();
    assert_eq!((folders.common_prefixes, folders.objects.len()), (vec![Path::from("folder")], 1));
    let after: Vec<ObjectMeta> = store.list_with_offset(None, &expected[4]).try_collect().await.unwrap();
    assert_eq!(after.len(), names.len() - 5 + 1);
    let all = store.list(None).map_ok(|meta| meta.location).boxed();
    let deleted: Vec<Path> = store.delete_stream(all).try_collect().await.unwrap();
    assert_eq!(deleted.len(), names.len() + 1);
    assert_eq!(store.list(None).count().await, 0);
}

async fn parts_and_ranges(store: &AmazonS3) {
    let path = Path::from("large");
    let parts: Vec<Vec<u8>> = (0..3_u8).map(|n| vec![b'a' + n; 5 << 20]).collect();
    let mut upload = store.put_multipart(&path).await.unwrap();
    for part in &parts {
        upload.put_part(PutPayload::from(part.clone())).await.unwrap();
    }
    upload.complete().await.unwrap();
    let whole = parts.concat();
    assert_eq!(store.head(&path).await.unwrap().size, whole.len() as u64);
    let (start, end) = ((5 << 20) - 1, (5 << 20) + 1);
    let ranges = store.get_ranges(&path, &[start..end, 0..3]).await.unwrap();
    assert_eq!(ranges, [&b"ab"[..], b"aaa"]);
    assert!(store.get(&path).await.unwrap().bytes().await.unwrap() == whole);

    let mut given_up = store.put_multipart(&Path::from("given up")).await.unwrap();
    given_up.put_part(PutPayload::from_static(b"part")).await.unwrap();
    given_up.abort().await.unwrap();
    assert!(matches!(store.head(&Path::from("given up")).await, Err(Error::NotFound { .. })));
}

async fn conditions(store: &AmazonS3) {
    let path = Path::from("once");
    let created = store.put_opts(&path, "1".into(), PutMode::Create.into()).await.unwrap();
    let again = store.put_opts(&path, "2".into(), PutMode::Create.into()).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    let version = UpdateVersion { e_tag: created.e_tag, version: created.version };
    store.put_opts(&path, "2".into(), PutMode::Update(version.clone()).into()).await.unwrap();
    let late = store.put_opts(&path, "3".into(), PutMode::Update(version).into()).await;
    assert!(matches!(late, Err(Error::Precondition { .. })), "{late:?}");
    assert_eq!(text_of(store, &path).await, "2");

    let copy = Path::from("copy");
    store.copy_if_not_exists(&path, &copy).await.unwrap();
    let over = store.copy_if_not_exists(&path, &copy).await;
    assert!(matches!(over, Err(Error::AlreadyExists { .. })), "{over:?}");
    assert_eq!(text_of(store, &copy).await, "2");
}

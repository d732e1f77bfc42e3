//! Puts, deletes and completions in a bucket without versions.

use bytes::Bytes;
use holdfast_s3_server::Server;
use holdfast_s3_server::engine::{
    CompletedPart, Condition, DataKey, Engine, ListEntry, ListQuery, ObjectAttributes, PartAttributes, Result, Scheme,
    Staged,
};
use holdfast_testkit::Dice;

use crate::engine_bench::attributes;
use crate::frame::{Found, Step, bytes_of, check_bytes, make_bucket, survives_kill_9};

const BUCKET: &str = "bucket";
const KEYS_OF_A_TASK: u64 = 3;

#[test]
fn what_was_acknowledged_survives_kill_9_and_nothing_is_torn_or_orphaned() {
    survives_kill_9::<ObjectStep>("objects::what_was_acknowledged_survives_kill_9_and_nothing_is_torn_or_orphaned", 24);
}

/// A write of one key: the slot holds the ETag, from which the bytes follow.
pub(crate) struct ObjectStep {
    key: String,
    kind: Kind,
    etag: String,
    /// Whether its bytes are encrypted.
    is_sealed: bool,
}

enum Kind {
    Put,
    PutInParts,
    /// Put under another ETag first, then copied from there over itself.
    Copy,
    Delete,
}

impl Step for ObjectStep {
    type Content = Option<String>;
    const TASKS: u64 = 4;

    fn new(mut dice: Dice, task: u64, name: String) -> Self {
        let key = format!("task-{task}/key-{}", dice.below(KEYS_OF_A_TASK));
        let kind = match dice.below(6) {
            0 => Kind::Delete,
            1 => Kind::PutInParts,
            2 => Kind::Copy,
            _ => Kind::Put,
        };
        Self { key, kind, etag: name, is_sealed: dice.below(2) == 0 }
    }

    fn slot(&self) -> &str {
        &self.key
    }

    fn apply(&self, content: &mut Option<String>) {
        *content = match self.kind {
            Kind::Delete => None,
            Kind::Put | Kind::PutInParts | Kind::Copy => Some(self.etag.clone()),
        };
    }

    async fn run(&self, engine: &Engine) -> Result<()> {
        let bytes = bytes_of(&self.etag);
        match self.kind {
            Kind::Delete => {
                engine.delete(BUCKET, &self.key, Condition::Always).await?;
            }
            Kind::PutInParts => self.put_in_parts(engine, &bytes).await?,
            Kind::Put | Kind::Copy => {
                let (attributes, key) = self.attributes(engine).await?;
                let staged = stage(engine, bytes, key.as_ref(), None).await?;
                engine.put(BUCKET, &self.key, staged, attributes, Condition::Always).await?;
            }
        }
        if matches!(self.kind, Kind::Copy) {
            self.copy_over_itself(engine).await?;
        }
        Ok(())
    }

    async fn prepare(server: &Server) -> Result<()> {
        make_bucket(server.engine(), BUCKET).await
    }

    async fn contents(engine: &Engine) -> Result<(Found<Self::Content>, usize)> {
        let mut found = Found::new();
        for entry in engine.list(BUCKET, ListQuery { max: 1000, ..ListQuery::default() }).await?.entries {
            let ListEntry::Object(object) = entry else { panic!("{entry:?}") };
            let (info, mut file) = engine.open_object(BUCKET, &object.key, None).await?;
            if let Some(encryption) = &info.attributes.encryption {
                file = file.unlocked(engine.data_key((BUCKET, &object.key), encryption, None).await?)?;
            }
            check_bytes(file, &object.key, &object.etag).await;
            found.insert(object.key, Some(object.etag));
        }
        let files = found.len();
        Ok((found, files))
    }
}

impl ObjectStep {
    async fn put_in_parts(&self, engine: &Engine, bytes: &Bytes) -> Result<()> {
        let (whole, key) = self.attributes(engine).await?;
        let upload = engine.create_upload(BUCKET, &self.key, whole.clone()).await?.id;
        let id = (BUCKET, self.key.as_str(), upload.as_str());
        let middle = bytes.len() / 2;
        let mut named = Vec::new();
        for (number, part) in [(1, bytes.slice(..middle)), (2, bytes.slice(middle..))] {
            let part_attributes = PartAttributes { etag: format!("part-{number}"), checksum: None };
            let staged = stage(engine, part, key.as_ref(), Some(number)).await?;
            engine.put_part(id, number, staged, part_attributes.clone()).await?;
            named.push(CompletedPart { number, etag: part_attributes.etag, checksum: None });
        }
        engine.complete_upload(id, named, move |_, _| Ok(whole), Condition::Always).await?;
        Ok(())
    }

    async fn copy_over_itself(&self, engine: &Engine) -> Result<()> {
        use futures_util::StreamExt as _;
        let (info, mut file) = engine.open_object(BUCKET, &self.key, None).await?;
        if let Some(encryption) = &info.attributes.encryption {
            file = file.unlocked(engine.data_key((BUCKET, &self.key), encryption, None).await?)?;
        }
        let (attributes, key) = self.attributes(engine).await?;
        let mut staged = stage(engine, Bytes::new(), key.as_ref(), None).await?;
        let mut chunks = file.stream(0..info.size);
        while let Some(chunk) = chunks.next().await {
            staged.write(chunk?).await?;
        }
        let unchanged = Condition::EtagIn(vec![self.etag.clone()]);
        engine.put(BUCKET, &self.key, staged, attributes, unchanged).await?;
        Ok(())
    }

    async fn attributes(&self, engine: &Engine) -> Result<(ObjectAttributes, Option<DataKey>)> {
        let mut attributes = attributes(&self.etag);
        if !self.is_sealed {
            return Ok((attributes, None));
        }
        let (encryption, key) = engine.new_data_key((BUCKET, &self.key), Scheme::S3, None).await?;
        attributes.encryption = Some(encryption);
        Ok((attributes, Some(key)))
    }
}

async fn stage(engine: &Engine, bytes: Bytes, key: Option<&DataKey>, part: Option<u16>) -> Result<Staged> {
    let mut staged = match key {
        None => engine.stage(BUCKET).await?,
        Some(key) => engine.stage_sealed(BUCKET, key, part).await?,
    };
    staged.write(bytes).await?;
    Ok(staged)
}

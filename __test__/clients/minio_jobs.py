"""What minio-py is asked to do. Run as `python minio_jobs.py JOB`; a job that ends without an error has found all right."""

import io
import json
import os
import sys
import urllib.parse
import urllib.request
from datetime import timedelta

from minio import Minio
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.versioningconfig import ENABLED, VersioningConfig

HOST = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
KEYS = json.loads(os.environ.get("KEYS", "[]"))
BUCKET = "minio-py"
MIB = 2**20

client = Minio(
    HOST,
    access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    secure=False,
)


def read(key, **kwargs):
    answer = client.get_object(BUCKET, key, **kwargs)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def buckets():
    client.make_bucket("made-by-minio")
    assert client.bucket_exists("made-by-minio") and not client.bucket_exists("never-made")
    assert "made-by-minio" in [bucket.name for bucket in client.list_buckets()]
    client.remove_bucket("made-by-minio")
    assert not client.bucket_exists("made-by-minio")


def awkward_keys():
    for key in KEYS:
        client.put_object(BUCKET, key, io.BytesIO(key.encode()), len(key.encode()))
    listed = [entry.object_name for entry in client.list_objects(BUCKET, recursive=True)]
    assert listed == sorted(KEYS, key=str.encode), listed
    for key in KEYS:
        assert read(key) == key.encode(), key
    assert list(client.remove_objects(BUCKET, [DeleteObject(key) for key in KEYS])) == []
    left = [entry.object_name for entry in client.list_objects(BUCKET, recursive=True)]
    assert left == [], left


def streams_of_unknown_length():
    data = os.urandom(12 * MIB)
    client.put_object(BUCKET, "stream", io.BytesIO(data), -1, part_size=5 * MIB)
    assert read("stream") == data
    assert read("stream", offset=5 * MIB - 1, length=3) == data[5 * MIB - 1 : 5 * MIB + 2]


def copies_and_composes():
    data = os.urandom(6 * MIB)
    client.put_object(BUCKET, "source", io.BytesIO(data), len(data), metadata={"who": "me"})
    client.copy_object(BUCKET, "copy", CopySource(BUCKET, "source"))
    assert client.stat_object(BUCKET, "copy").metadata["x-amz-meta-who"] == "me"
    client.compose_object(BUCKET, "both", [ComposeSource(BUCKET, "source"), ComposeSource(BUCKET, "copy")])
    assert read("both") == data + data


def presigned():
    client.put_object(BUCKET, "a b+c%?", io.BytesIO(b"signed"), 6)
    url = client.presigned_get_object(BUCKET, "a b+c%?", expires=timedelta(minutes=1))
    assert urllib.request.urlopen(url).read() == b"signed"
    url = client.presigned_put_object(BUCKET, "put", expires=timedelta(minutes=1))
    urllib.request.urlopen(urllib.request.Request(url, data=b"by url", method="PUT"))
    assert read("put") == b"by url"


def tags_and_versions():
    client.set_bucket_versioning(BUCKET, VersioningConfig(ENABLED))
    first = client.put_object(BUCKET, "v", io.BytesIO(b"1"), 1).version_id
    client.put_object(BUCKET, "v", io.BytesIO(b"2"), 1)
    tags = Tags.new_object_tags()
    tags["a b"] = "c+d"
    client.set_object_tags(BUCKET, "v", tags)
    assert dict(client.get_object_tags(BUCKET, "v")) == {"a b": "c+d"}
    assert read("v", version_id=first) == b"1"
    listed = [entry.version_id for entry in client.list_objects(BUCKET, prefix="v", include_version=True)]
    assert len(listed) == 2 and listed[1] == first, listed


def errors():
    try:
        client.stat_object(BUCKET, "never put")
    except S3Error as error:
        assert error.code == "NoSuchKey", error
    else:
        raise AssertionError("it is not there")


if __name__ == "__main__":
    jobs = dict(globals())
    jobs[sys.argv[1]]()

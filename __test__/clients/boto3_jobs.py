"""What boto3 is asked to do. Run as `python boto3_jobs.py JOB`; a job that ends without an error has found all right."""

import hashlib
import json
import os
import sys
import threading
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
KEYS = json.loads(os.environ.get("KEYS", "[]"))
BUCKET = "boto3"
MIB = 2**20

s3 = boto3.client("s3")


def code_of(call, *args, **kwargs):
    """Status and code of the error that a call ends with."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    raise AssertionError("the call should have failed")


def awkward_keys():
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 7})
    listed = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert listed == sorted(KEYS, key=str.encode), listed
    pages = s3.get_paginator("list_objects").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 7})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == listed
    for key in KEYS:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode(), key
        s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": key})
        assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == key.encode(), key
    s3.delete_object(Bucket=BUCKET, Key="copy")
    done = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in KEYS]})
    assert sorted(entry["Key"] for entry in done["Deleted"]) == sorted(KEYS) and "Errors" not in done
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def transfers():
    data = os.urandom(17 * MIB + 3)
    with open("up", "wb") as file:
        file.write(data)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_file("up", BUCKET, "large", Config=config, ExtraArgs={"Metadata": {"who": "me"}})
    head = s3.head_object(Bucket=BUCKET, Key="large")
    assert head["ETag"].endswith('-4"') and head["Metadata"] == {"who": "me"}, head
    s3.download_file(BUCKET, "large", "down", Config=config)
    with open("down", "rb") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest()
    s3.copy({"Bucket": BUCKET, "Key": "large"}, BUCKET, "copied in parts", Config=config)
    part = s3.get_object(Bucket=BUCKET, Key="copied in parts", PartNumber=2)
    assert part["PartsCount"] == 4 and part["Body"].read() == data[5 * MIB : 10 * MIB]


def checksums():
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        field = "Checksum" + algorithm
        # Those that this Python can't compute are AWS's own C library's.
        if algorithm in ("CRC32C", "CRC64NVME"):
            value = {"CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="}[algorithm]
            put = s3.put_object(Bucket=BUCKET, Key=algorithm, Body=b"123456789", **{field: value})
        else:
            put = s3.put_object(Bucket=BUCKET, Key=algorithm, Body=b"123456789", ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=BUCKET, Key=algorithm, ChecksumMode="ENABLED")
        assert put[field] == head[field] and head["ChecksumType"] == "FULL_OBJECT", head
    wrong = {"ChecksumSHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}
    assert code_of(s3.put_object, Bucket=BUCKET, Key="wrong", Body=b"other", **wrong) == (400, "BadDigest")
    assert code_of(s3.head_object, Bucket=BUCKET, Key="wrong")[0] == 404


def multipart_with_checksums():
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="parts", ChecksumAlgorithm="SHA256")
    where = {"Bucket": BUCKET, "Key": "parts", "UploadId": begun["UploadId"]}
    bodies = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"the last"]
    parts = []
    for number, body in enumerate(bodies, 1):
        put = s3.upload_part(**where, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": put["ETag"], "ChecksumSHA256": put["ChecksumSHA256"]})
    listed = s3.list_parts(**where, MaxParts=2)
    assert [part["PartNumber"] for part in listed["Parts"]] == [1, 2] and listed["IsTruncated"]
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ChecksumSHA256"].endswith("-3") and done["ChecksumType"] == "COMPOSITE", done
    asked = ["Checksum", "ObjectParts", "ObjectSize", "ETag"]
    told = s3.get_object_attributes(Bucket=BUCKET, Key="parts", ObjectAttributes=asked)
    assert told["ObjectParts"]["TotalPartsCount"] == 3 and told["ObjectSize"] == 10 * MIB + 8, told
    assert s3.get_object(Bucket=BUCKET, Key="parts")["Body"].read() == b"".join(bodies)


def presigned():
    s3.put_object(Bucket=BUCKET, Key="a b+c%?", Body=b"signed")
    for version in ["s3", "s3v4"]:
        signer = boto3.client("s3", config=Config(signature_version=version))
        named = {"Bucket": BUCKET, "Key": "a b+c%?"}
        url = signer.generate_presigned_url("get_object", Params=named, ExpiresIn=60)
        assert ("X-Amz-Signature" in url) == (version == "s3v4"), url
        assert urllib.request.urlopen(url).read() == b"signed"
        url = signer.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": version}, ExpiresIn=60)
        request = urllib.request.Request(url, data=b"put", method="PUT", headers={"Content-Type": ""})
        assert urllib.request.urlopen(request).status == 200
        try:
            urllib.request.urlopen(url.replace(f"/{version}?", "/other?"))
        except urllib.error.HTTPError as error:
            assert error.code == 403
        else:
            raise AssertionError("a changed URL was taken")
    plain = boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "s3"})
    assert "AWSAccessKeyId" in plain, "boto3 presigns with version 2 unless it is told otherwise"


def version_two_in_the_header():
    old = boto3.client("s3", config=Config(signature_version="s3"))
    old.put_object(Bucket=BUCKET, Key="by header, version 2 %+?", Body=b"old", Metadata={"who": "me"})
    got = old.get_object(Bucket=BUCKET, Key="by header, version 2 %+?")
    assert got["Body"].read() == b"old" and got["Metadata"] == {"who": "me"}
    old.put_object_tagging(Bucket=BUCKET, Key="by header, version 2 %+?", Tagging={"TagSet": []})
    assert old.list_objects_v2(Bucket=BUCKET, Prefix="by header")["KeyCount"] == 1
    keys = {"aws_access_key_id": "AKIDCLIENTS", "aws_secret_access_key": "wrong"}
    wrong = boto3.client("s3", config=Config(signature_version="s3"), **keys)
    assert code_of(wrong.list_buckets) == (403, "SignatureDoesNotMatch")


def conditions():
    put = s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")
    again = {"Bucket": BUCKET, "Key": "once", "Body": b"2"}
    assert code_of(s3.put_object, **again, IfNoneMatch="*") == (412, "PreconditionFailed")
    s3.put_object(**again, IfMatch=put["ETag"])
    assert code_of(s3.put_object, **again, IfMatch=put["ETag"]) == (412, "PreconditionFailed")
    assert code_of(s3.get_object, Bucket=BUCKET, Key="once", IfMatch=put["ETag"]) == (412, "PreconditionFailed")
    wins = []

    def race(number):
        try:
            boto3.session.Session().client("s3").put_object(
                Bucket=BUCKET, Key="race", Body=str(number).encode(), IfNoneMatch="*"
            )
            wins.append(number)
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"), error

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1, wins
    assert s3.get_object(Bucket=BUCKET, Key="race")["Body"].read() == str(wins[0]).encode()


def versions():
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    resource = boto3.resource("s3").Bucket(BUCKET)
    first = s3.put_object(Bucket=BUCKET, Key="v", Body=b"1")["VersionId"]
    s3.put_object(Bucket=BUCKET, Key="v", Body=b"2")
    s3.delete_object(Bucket=BUCKET, Key="v")
    assert len(list(resource.object_versions.filter(Prefix="v"))) == 3
    assert s3.get_object(Bucket=BUCKET, Key="v", VersionId=first)["Body"].read() == b"1"
    resource.object_versions.delete()
    assert list(resource.object_versions.all()) == []


def metadata():
    asked = {"ContentType": "text/x-own", "CacheControl": "no-store", "ContentDisposition": 'attachment; filename="a b"'}
    s3.put_object(Bucket=BUCKET, Key="meta", Body=b"", Metadata={"plain": "value", "empty": ""}, **asked)
    head = s3.head_object(Bucket=BUCKET, Key="meta")
    assert head["Metadata"] == {"plain": "value", "empty": ""}, head
    assert {name: head[name] for name in asked} == asked, head


if __name__ == "__main__":
    jobs = dict(globals())
    jobs[sys.argv[1]]()

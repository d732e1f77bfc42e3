use super::signing_key::{SigningKey, same_signature, sha256_hex};

/// Checks the signatures of a body that is signed chunk by chunk: each signature signs the one before it.
#[derive(Clone)]
pub(crate) struct ChunkSigner {
    pub(super) key: SigningKey,
    pub(super) amz_date: String,
    pub(super) credential_scope: String,
    pub(super) previous: String,
}

impl ChunkSigner {
    /// Whether a chunk, given as the hex SHA-256 of its data, has that signature; on success it is the one before the next.
    pub(crate) fn accepts_chunk(&mut self, data_sha256: &str, signature: &str) -> bool {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{data_sha256}",
            self.amz_date,
            self.credential_scope,
            self.previous,
            sha256_hex(b"")
        );
        self.accepts(&text, signature)
    }

    /// Whether the trailers, written as `name:value` lines, have that signature.
    pub(crate) fn accepts_trailers(&mut self, trailers: &str, signature: &str) -> bool {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}",
            self.amz_date,
            self.credential_scope,
            self.previous,
            sha256_hex(trailers.as_bytes())
        );
        self.accepts(&text, signature)
    }

    fn accepts(&mut self, text: &str, signature: &str) -> bool {
        self.previous = self.key.sign(text);
        same_signature(&self.previous, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_chunks_of_the_documentation() {
        let mut signer = ChunkSigner {
            key: SigningKey::derive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1"),
            amz_date: "20130524T000000Z".into(),
            credential_scope: "20130524/us-east-1/s3/aws4_request".into(),
            previous: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9".into(),
        };
        for (data, signature) in [
            (vec![b'a'; 65536], "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (vec![b'a'; 1024], "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (vec![], "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ] {
            assert!(signer.accepts_chunk(&sha256_hex(&data), signature));
        }
    }
}

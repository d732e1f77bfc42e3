//! Who may talk: peers of one topic prove to each other that they know its name and its secret, before anything
//! of the store is said. The proof is bound to the connection, so it can be neither replayed nor passed on.

use std::fmt;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use holdfast_base::{Error, Result};
use quinn::{Connection, RecvStream, SendStream};
use sha2::{Digest, Sha256};

use super::identity::id_of;

const LABEL: &[u8] = b"holdfast-p2p topic proof";
const PROOF_BYTES: usize = 32;
const INSTANCE_BYTES: usize = 8;
/// A stranger has so long to say what it knows.
const TIME: Duration = Duration::from_secs(5);

/// What the peers of a topic share. Made slowly, so that what is announced is no oracle for guesses.
#[derive(Clone)]
pub struct TopicKey([u8; 32]);

impl fmt::Debug for TopicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopicKey")
    }
}

impl TopicKey {
    /// The key of a topic. Takes tens of milliseconds, and 19 MiB for as long.
    ///
    /// # Errors
    /// `Internal`.
    pub fn derive(topic: &str, secret: Option<&str>) -> Result<Self> {
        let salt = Sha256::new().chain_update(b"holdfast-p2p topic\0").chain_update(topic).finalize();
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
            .hash_password_into(secret.unwrap_or_default().as_bytes(), &salt, &mut key)
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self(key))
    }

    /// What is announced on the local network: says nothing of the topic.
    pub(super) fn tag(&self) -> String {
        self.mac(&[b"mdns"]).finalize().into_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // Every length of key is taken.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// A peer that proved that it belongs to the topic.
pub(super) struct Authenticated {
    pub(super) peer: String,
    /// The process that it is: another one after a restart.
    pub(super) instance: [u8; INSTANCE_BYTES],
    pub(super) streams: (SendStream, RecvStream),
}

/// Proves that this peer belongs to the topic, and has the other prove it. The dialler goes first. `None`: it
/// doesn't belong to it, or has said nothing for too long.
pub(super) async fn authenticate(
    connection: &Connection,
    is_dialler: bool,
    key: &TopicKey,
    own: &str,
    instance: [u8; INSTANCE_BYTES],
) -> Option<Authenticated> {
    tokio::time::timeout(TIME, exchange(connection, is_dialler, key, own, instance)).await.ok().flatten()
}

async fn exchange(
    connection: &Connection,
    is_dialler: bool,
    key: &TopicKey,
    own: &str,
    instance: [u8; INSTANCE_BYTES],
) -> Option<Authenticated> {
    let peer = peer_of(connection)?;
    let mut exported = [0; 32];
    connection.export_keying_material(&mut exported, LABEL, b"").ok()?;
    let proof = |role: &[u8], prover: &str, verifier: &str, instance: &[u8]| {
        key.mac(&[role, &exported, prover.as_bytes(), verifier.as_bytes(), instance])
    };
    let (own_role, their_role): (&[u8], &[u8]) = if is_dialler { (b"dial", b"accept") } else { (b"accept", b"dial") };
    let mut mine = instance.to_vec();
    mine.extend(proof(own_role, own, &peer, &instance).finalize().into_bytes());
    let (mut send, mut receive) =
        if is_dialler { connection.open_bi().await.ok()? } else { connection.accept_bi().await.ok()? };
    if is_dialler {
        send.write_all(&mine).await.ok()?;
    }
    let mut theirs = [0; INSTANCE_BYTES + PROOF_BYTES];
    receive.read_exact(&mut theirs).await.ok()?;
    let (their_instance, their_proof) = theirs.split_at(INSTANCE_BYTES);
    // Compares in constant time.
    proof(their_role, &peer, own, their_instance).verify_slice(their_proof).ok()?;
    if !is_dialler {
        send.write_all(&mine).await.ok()?;
    }
    let instance = their_instance.try_into().ok()?;
    Some(Authenticated { peer, instance, streams: (send, receive) })
}

/// The id of the peer at the other end.
fn peer_of(connection: &Connection) -> Option<String> {
    let keys = connection.peer_identity()?.downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>().ok()?;
    keys.first().map(|key| id_of(key.as_ref()))
}

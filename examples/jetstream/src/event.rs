//! The frames of Jetstream, as far as this program reads them: one JSON object a text message.
//!
//! What they look like was taken from the service's public description and source, not from its live traffic:
//! `{"did": .., "time_us": .., "kind": "commit", "commit": {"rev": .., "operation": .., "collection": .., "rkey": ..,
//! "record": {..}, "cid": ..}}`, or with `"kind": "identity"` and an `identity`, `"kind": "account"` and an `account`.
//!
//! Fields that are not listed here are passed over, and so are kinds, operations and collections that are not known,
//! since the network adds to them without asking anybody.

use serde::Deserialize;
use serde_json::Value;

/// What every message has, and what those of the kind `commit` have beside it.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Whose repository it is about.
    pub did: String,
    /// When the server saw it, in microseconds since the Unix epoch; a cursor.
    pub time_us: u64,
    pub commit: Option<Commit>,
}

/// A change of one record.
#[derive(Debug, Deserialize)]
pub struct Commit {
    pub operation: String,
    pub collection: String,
    /// The record's key, unique in its repository and collection.
    pub rkey: String,
    /// Absent from a delete.
    pub record: Option<Value>,
}

/// A record of the collection [`POSTS`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostRecord {
    pub text: String,
    pub created_at: String,
    /// The author may leave the languages out.
    #[serde(default)]
    pub langs: Vec<String>,
    /// Absent from a post that starts a thread.
    pub reply: Option<Reply>,
}

#[derive(Debug, Deserialize)]
pub struct Reply {
    pub parent: Reference,
}

/// A record of the collection [`LIKES`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LikeRecord {
    pub subject: Reference,
    pub created_at: String,
}

/// Points to a record by its address.
#[derive(Debug, Deserialize)]
pub struct Reference {
    pub uri: String,
}

pub const POSTS: &str = "app.bsky.feed.post";
pub const LIKES: &str = "app.bsky.feed.like";

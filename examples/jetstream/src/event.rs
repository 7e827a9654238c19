//! The messages of Jetstream that this program reads. Each text message is one JSON object.
//!
//! Their form is from the public description and source code of the service, not from its live traffic: `{"did": ..,
//! "time_us": .., "kind": "commit", "commit": {"rev": .., "operation": .., "collection": .., "rkey": .., "record":
//! {..}, "cid": ..}}`. A message of the kind `identity` or `account` has a field of that name instead of `commit`.
//!
//! Unknown fields, kinds, operations and collections are ignored, because the network adds new ones at any time.

use serde::Deserialize;
use serde_json::Value;

/// A message.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The account whose repository has changed.
    pub did: String,
    /// The time at which the server received the event, in microseconds since the Unix epoch. It is also the cursor.
    pub time_us: u64,
    /// Present if the message is of the kind `commit`.
    pub commit: Option<Commit>,
}

/// A change of one record.
#[derive(Debug, Deserialize)]
pub struct Commit {
    pub operation: String,
    pub collection: String,
    /// The record's key, unique in its repository and collection.
    pub rkey: String,
    /// Absent if the record was deleted.
    pub record: Option<Value>,
}

/// A record of the collection [`POSTS`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostRecord {
    pub text: String,
    pub created_at: String,
    /// The author's languages. Posts may omit them.
    #[serde(default)]
    pub langs: Vec<String>,
    /// Absent if the post starts a thread.
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

/// A reference to a record.
#[derive(Debug, Deserialize)]
pub struct Reference {
    pub uri: String,
}

pub const POSTS: &str = "app.bsky.feed.post";
pub const LIKES: &str = "app.bsky.feed.like";

//! [`Jetstream`]: a connector that reads the Bluesky firehose over a WebSocket, and feeds two tables, posts and likes.
//!
//! - An event that deletes a record has only the account and the key of the record. These two columns are therefore the
//!   primary key of both tables, and the event becomes a `remove`. If the table has no such row, `remove` has no
//!   effect.
//! - The policy for bad rows ([`BadRows`](pathway_io::BadRows)) handles messages that cannot be decoded. Events of
//!   other kinds are ignored.
//! - If the connection is lost or cannot be made, the pipeline calls `run` again ([`restart`]). The wait doubles from
//!   250 ms to 30 s. The source requests all events from the last one on. That event arrives twice, but pushing an
//!   equal row again produces no update.
//! - A stop drops the future of `run` while it waits for the handshake or for a message. This closes the connection.

pub mod demo;
mod event;

use std::time::Duration;

use event::{Commit, Event, LIKES, LikeRecord, POSTS, PostRecord};
use futures_util::StreamExt;
use pathway_io::{AsyncSubject, Error, Restart, RunResult, Schema, connector};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{self, Message};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A public server. It requires no account.
pub const SERVER: &str = "wss://jetstream2.us-east.bsky.network/subscribe";
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A connection that is silent for longer is dead, because the whole network never is.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// A post.
#[derive(Schema, Clone)]
pub struct Post {
    /// The author's account.
    #[schema(primary_key)]
    pub did: String,
    /// The key of the post, unique among the author's posts.
    #[schema(primary_key)]
    pub rkey: String,
    /// The text of the post.
    pub text: String,
    /// The languages of the post, as the author has set them.
    pub langs: Vec<String>,
    /// The address of the post that this one replies to.
    pub reply_to: Option<String>,
    /// The time by the clock of the author's device.
    pub created_at: String,
    /// The time at which the server received the event, in microseconds since 1970.
    pub time_us: u64,
}

/// A like.
#[derive(Schema, Clone)]
pub struct Like {
    /// The account that likes the record.
    #[schema(primary_key)]
    pub did: String,
    /// The key of the like, unique among the likes of the account.
    #[schema(primary_key)]
    pub rkey: String,
    /// The address of the liked record.
    pub subject: String,
    /// The time by the clock of the author's device.
    pub created_at: String,
}

/// A connector that reads a [Jetstream](https://bsky.network/docs/jetstream/) server.
pub struct Jetstream {
    url: String,
    /// The number of posts and likes after which `run` ends.
    remaining: u64,
    /// The time of the last event, in the server's microseconds.
    cursor: Option<u64>,
}

#[connector(autocommit = "500ms")]
impl Jetstream {
    async fn run(&mut self, posts: AsyncSubject<Post>, likes: AsyncSubject<Like>) -> RunResult {
        let Err(error) = self.session(&posts, &likes).await else { return Ok(()) };
        match error.downcast_ref::<tungstenite::Error>() {
            Some(refused) if is_final(refused) => Err(Error::fatal(format!("{}: {refused}", self.url)).into()),
            Some(lost) => Err(format!("{}: {lost}", self.url).into()),
            None => Err(error),
        }
    }
}

/// Returns the policy for another attempt after a connection was lost or could not be made.
pub fn restart() -> Restart {
    Restart::backoff(FIRST_WAIT..LONGEST_WAIT)
}

impl Jetstream {
    /// Returns a source that reads a server until `events` posts and likes were created, changed or deleted.
    pub fn new(url: String, events: u64) -> Self {
        Jetstream { url, remaining: events, cursor: None }
    }

    /// Reads one connection until the source has enough events.
    ///
    /// # Errors
    ///
    /// A [`tungstenite::Error`] if the connection is lost.
    async fn session(&mut self, posts: &AsyncSubject<Post>, likes: &AsyncSubject<Like>) -> Result<(), BoxError> {
        // The server sends the event of the cursor again. It is not counted twice.
        let resumed_at = self.cursor;
        let (mut socket, _) = unless_silent(connect_async(self.address())).await?;
        while self.remaining > 0 {
            // `tungstenite` answers pings.
            let next = async { socket.next().await.unwrap_or(Err(tungstenite::Error::ConnectionClosed)) };
            if let Message::Text(text) = unless_silent(next).await? {
                self.take(&text, resumed_at, posts, likes).await?;
            }
        }
        Ok(())
    }

    /// Returns the URL, with the collections and the cursor as parameters.
    fn address(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let mut url = format!("{}{separator}wantedCollections={POSTS}&wantedCollections={LIKES}", self.url);
        if let Some(cursor) = self.cursor {
            url.push_str(&format!("&cursor={cursor}"));
        }
        url
    }

    /// Decodes a message, and pushes its row.
    async fn take(
        &mut self,
        text: &str,
        resumed_at: Option<u64>,
        posts: &AsyncSubject<Post>,
        likes: &AsyncSubject<Like>,
    ) -> Result<(), BoxError> {
        let event: Event = match serde_json::from_str(text) {
            Ok(event) => event,
            Err(error) => return Ok(posts.reject(text, format_args!("invalid event: {error}")).await?),
        };
        let taken = match event.commit {
            Some(commit) if commit.collection == POSTS => match Change::of(event.did, commit) {
                Ok(Change::Put(did, rkey, PostRecord { text, created_at, langs, reply })) => {
                    let reply_to = reply.map(|reply| reply.parent.uri);
                    posts.next(Post { did, rkey, text, langs, reply_to, created_at, time_us: event.time_us }).await?;
                    true
                }
                Ok(Change::Delete(did, rkey)) => {
                    posts.remove((did, rkey)).await?;
                    true
                }
                Ok(Change::Other) => false,
                Err(reason) => {
                    posts.reject(text, reason).await?;
                    false
                }
            },
            Some(commit) if commit.collection == LIKES => match Change::of(event.did, commit) {
                Ok(Change::Put(did, rkey, LikeRecord { subject, created_at })) => {
                    likes.next(Like { did, rkey, subject: subject.uri, created_at }).await?;
                    true
                }
                Ok(Change::Delete(did, rkey)) => {
                    likes.remove((did, rkey)).await?;
                    true
                }
                Ok(Change::Other) => false,
                Err(reason) => {
                    likes.reject(text, reason).await?;
                    false
                }
            },
            // The server always sends events of identities and accounts, whatever the request says.
            Some(_) | None => false,
        };
        let is_new = Some(event.time_us) > resumed_at;
        self.remaining -= u64::from(taken && is_new);
        self.cursor = self.cursor.max(Some(event.time_us));
        Ok(())
    }
}

/// Waits for a connection or a message. It is an error if the server is silent for too long.
async fn unless_silent<T>(received: impl Future<Output = tungstenite::Result<T>>) -> tungstenite::Result<T> {
    timeout(SILENCE_LIMIT, received).await.map_err(|late| tungstenite::Error::Io(late.into()))?
}

/// Returns whether another attempt would fail in the same way: the URL is wrong, or the server refuses the request.
fn is_final(error: &tungstenite::Error) -> bool {
    match error {
        tungstenite::Error::Url(_) | tungstenite::Error::HttpFormat(_) => true,
        tungstenite::Error::Http(response) => response.status().is_client_error() && response.status().as_u16() != 429,
        _ => false,
    }
}

/// The change that a commit makes to a record of one collection.
enum Change<R> {
    Put(String, String, R),
    Delete(String, String),
    Other,
}

impl<R: DeserializeOwned> Change<R> {
    fn of(did: String, commit: Commit) -> Result<Self, String> {
        match (commit.operation.as_str(), commit.record) {
            ("create" | "update", Some(record)) => match serde_json::from_value(record) {
                Ok(record) => Ok(Change::Put(did, commit.rkey, record)),
                Err(error) => Err(format!("invalid record: {error}")),
            },
            ("create" | "update", None) => Err("a commit without a record".to_owned()),
            ("delete", _) => Ok(Change::Delete(did, commit.rkey)),
            _ => Ok(Change::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static SERVER: LazyLock<String> = LazyLock::new(|| demo::serve().expect("a free port"));

    pathway_io::connector_tests! { against_the_demo: Jetstream::new(SERVER.clone(), 20), ends }
}

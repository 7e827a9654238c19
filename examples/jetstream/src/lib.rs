//! The firehose of Bluesky as two tables, posts and likes, over a WebSocket: [`Jetstream`], the connector.
//!
//! - A delete carries no record, only whose it was and its key. So these two are the primary key of both tables, and a
//!   delete becomes a `remove`; of a row from before the program started it makes no output.
//! - Messages that cannot be read are rejected, and go the way of `BadRows`. Kinds of events that are not asked for are
//!   passed over.
//! - When the connection breaks, or without a network, the pipeline runs the source again, after a wait that doubles up to
//!   half a minute ([`restart`]). The source asks for everything since the last event that it saw. The server sends that
//!   event again: the same row under the same key makes no output.
//! - A stop drops `run` where it waits, for the handshake or for the next message, and the connection with it.

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

/// A server that needs no account.
pub const SERVER: &str = "wss://jetstream2.us-east.bsky.network/subscribe";
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The whole network is never silent for that long; a connection that is has died without a word.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// A post.
#[derive(Schema, Clone)]
pub struct Post {
    /// Whose it is.
    #[schema(primary_key)]
    pub did: String,
    /// Its key among the author's posts.
    #[schema(primary_key)]
    pub rkey: String,
    /// What it says.
    pub text: String,
    /// The languages that the author says it is in.
    pub langs: Vec<String>,
    /// The address of the post that it answers.
    pub reply_to: Option<String>,
    /// As the author's program says.
    pub created_at: String,
    /// When the server saw it, in microseconds since 1970.
    pub time_us: u64,
}

/// A like.
#[derive(Schema, Clone)]
pub struct Like {
    /// Who likes it.
    #[schema(primary_key)]
    pub did: String,
    /// Its key among the likes of whose it is.
    #[schema(primary_key)]
    pub rkey: String,
    /// The address of what is liked.
    pub subject: String,
    /// As the author's program says.
    pub created_at: String,
}

/// The connector: reads a server of [Jetstream](https://bsky.network/docs/jetstream/)'s.
pub struct Jetstream {
    url: String,
    /// How many posts and likes are still wanted.
    wanted: u64,
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

/// When the source is run again after its connection was lost or not made.
pub fn restart() -> Restart {
    Restart::backoff(FIRST_WAIT..LONGEST_WAIT)
}

impl Jetstream {
    /// Reads a server, until `wanted` posts and likes were created, changed or deleted.
    pub fn new(url: String, wanted: u64) -> Self {
        Jetstream { url, wanted, cursor: None }
    }

    /// Reads one connection until it breaks, which is a [`tungstenite::Error`], or there are events enough.
    async fn session(&mut self, posts: &AsyncSubject<Post>, likes: &AsyncSubject<Like>) -> Result<(), BoxError> {
        // The event of the cursor comes again, and is not counted twice.
        let resumed_at = self.cursor;
        let (mut socket, _) = unless_silent(connect_async(self.address())).await?;
        while self.wanted > 0 {
            // Pings are answered by the library.
            let next = async { socket.next().await.unwrap_or(Err(tungstenite::Error::ConnectionClosed)) };
            if let Message::Text(text) = unless_silent(next).await? {
                self.take(&text, resumed_at, posts, likes).await?;
            }
        }
        Ok(())
    }

    /// The URL with what is asked for.
    fn address(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let mut url = format!("{}{separator}wantedCollections={POSTS}&wantedCollections={LIKES}", self.url);
        if let Some(cursor) = self.cursor {
            url.push_str(&format!("&cursor={cursor}"));
        }
        url
    }

    /// Pushes what a message says.
    async fn take(
        &mut self,
        text: &str,
        resumed_at: Option<u64>,
        posts: &AsyncSubject<Post>,
        likes: &AsyncSubject<Like>,
    ) -> Result<(), BoxError> {
        let event: Event = match serde_json::from_str(text) {
            Ok(event) => event,
            Err(error) => return Ok(posts.reject(text, format_args!("no event: {error}")).await?),
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
            // Events of identities and accounts come whatever is asked for.
            Some(_) | None => false,
        };
        let is_new = Some(event.time_us) > resumed_at;
        self.wanted -= u64::from(taken && is_new);
        self.cursor = self.cursor.max(Some(event.time_us));
        Ok(())
    }
}

/// What comes of a connection, unless it says nothing for too long.
async fn unless_silent<T>(answer: impl Future<Output = tungstenite::Result<T>>) -> tungstenite::Result<T> {
    timeout(SILENCE_LIMIT, answer).await.map_err(|late| tungstenite::Error::Io(late.into()))?
}

/// Whether it would fail in the same way the next time: the URL is wrong, or the server refuses the request.
fn is_final(error: &tungstenite::Error) -> bool {
    match error {
        tungstenite::Error::Url(_) | tungstenite::Error::HttpFormat(_) => true,
        tungstenite::Error::Http(response) => response.status().is_client_error() && response.status().as_u16() != 429,
        _ => false,
    }
}

/// What a commit does to a record of one collection.
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
                Err(error) => Err(format!("no record of its collection: {error}")),
            },
            ("create" | "update", None) => Err("a commit without its record".to_owned()),
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

//! A sink that is attached to a table, before the pipeline starts: [`SinkSpec`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::rows::schema::Schema;
use crate::run::error::RunResult;
use crate::sink::Sink;
use crate::sink::file::OutputFile;
use crate::sink::options::SinkOptions;
#[cfg(feature = "persist")]
use crate::sink::resume::path_key;

/// A file or a database server that a sink writes, or a part of one. No two sinks may write the same target.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The path of the file, or the URL of the server.
    pub(crate) path: PathBuf,
    pub(crate) is_server: bool,
    /// The table, if the target is a database. Different tables have different names here.
    pub(crate) part: Option<String>,
}

impl Target {
    pub(crate) fn file(path: PathBuf) -> Self {
        Target { path, is_server: false, part: None }
    }

    /// Returns the text that identifies a table of a database, or a directory, in the state.
    #[cfg(feature = "persist")]
    pub(crate) fn key(&self) -> String {
        let path = path_key(&self.path);
        match &self.part {
            Some(part) => format!("{path} {part}"),
            None => path,
        }
    }

    /// Returns whether both targets are tables of a database, and are different tables.
    pub(crate) fn is_apart_from(&self, other: &Target) -> bool {
        self.part.is_some() && other.part.is_some() && self.part != other.part
    }
}

/// A sink, with the parts that only the library's own sinks have.
pub(crate) trait AnySink<S: Schema>: Sink<S> {
    /// Returns the file, if the sink writes one file.
    fn file(&mut self) -> Option<&mut OutputFile> {
        None
    }

    /// Returns the name of the file's format, as an error shows it.
    fn format(&self) -> Option<&'static str> {
        None
    }

    /// Returns the sink, if it makes many commits durable together.
    fn staged(&mut self) -> Option<&mut dyn StagedSink> {
        None
    }
}

impl<S: Schema> AnySink<S> for Box<dyn Sink<S>> {}

/// A transactional sink that makes many commits durable together, as a part of its output. A flush makes nothing
/// durable.
pub(crate) trait StagedSink {
    /// Returns the moment at which the part must end.
    fn due(&self) -> Option<Instant>;

    /// Makes everything that was written durable.
    fn end_part(&mut self) -> RunResult;

    /// Returns the time up to which everything is durable.
    fn durable(&self) -> u64;
}

/// A sink that is attached to a table.
pub(crate) struct SinkSpec<S: Schema> {
    pub(crate) name: Arc<str>,
    /// The file that the sink writes, if any.
    pub(crate) target: Option<Target>,
    pub(crate) sink: Box<dyn AnySink<S>>,
    pub(crate) options: SinkOptions,
    /// The answer of [`Sink::is_transactional`] at the start.
    pub(crate) is_transactional: bool,
}

impl<S: Schema> SinkSpec<S> {
    pub(crate) fn new(
        name: Arc<str>,
        target: Option<Target>,
        sink: impl Sink<S> + 'static,
        options: SinkOptions,
    ) -> Self {
        let sink: Box<dyn Sink<S>> = Box::new(sink);
        SinkSpec { name, target, sink: Box::new(sink), options, is_transactional: false }
    }

    /// Returns a sink that writes one file or one directory.
    pub(crate) fn file(path: PathBuf, sink: Box<dyn AnySink<S>>) -> Self {
        let (name, options) = (path.display().to_string().into(), SinkOptions::new());
        SinkSpec { name, target: Some(Target::file(path)), sink, options, is_transactional: false }
    }
}

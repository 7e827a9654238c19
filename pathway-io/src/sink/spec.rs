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

/// A sink that writes one file.
pub(crate) trait FileSink<S: Schema>: Sink<S> {
    fn file(&mut self) -> &mut OutputFile;

    /// Returns the name of the format, as an error shows it.
    fn format(&self) -> &'static str;
}

/// A transactional sink that makes many commits durable together, as a part of its output. A flush makes nothing
/// durable.
pub(crate) trait StagedSink<S: Schema>: Sink<S> {
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
    pub(crate) sink: AnySink<S>,
    pub(crate) options: SinkOptions,
    /// The answer of [`Sink::is_transactional`] at the start.
    pub(crate) is_transactional: bool,
}

/// A sink that the runtime calls only through [`Sink`], or a sink that the runtime also syncs or whose parts it ends.
pub(crate) enum AnySink<S: Schema> {
    Plain(Box<dyn Sink<S>>),
    File(Box<dyn FileSink<S>>),
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "the seam serves Parquet"))]
    Staged(Box<dyn StagedSink<S>>),
}

impl<S: Schema> SinkSpec<S> {
    pub(crate) fn new(name: Arc<str>, target: Option<Target>, sink: AnySink<S>, options: SinkOptions) -> Self {
        SinkSpec { name, target, sink, options, is_transactional: false }
    }

    /// Returns a sink that writes one file or one directory.
    pub(crate) fn file(path: PathBuf, sink: AnySink<S>) -> Self {
        Self::new(path.display().to_string().into(), Some(Target::file(path)), sink, SinkOptions::new())
    }
}

impl<S: Schema> AnySink<S> {
    /// Returns the sink if it makes many commits durable together.
    pub(crate) fn staged(&mut self) -> Option<&mut dyn StagedSink<S>> {
        match self {
            AnySink::Plain(_) | AnySink::File(_) => None,
            AnySink::Staged(sink) => Some(&mut **sink),
        }
    }

    pub(crate) fn get(&mut self) -> &mut dyn Sink<S> {
        match self {
            AnySink::Plain(sink) => &mut **sink,
            AnySink::File(sink) => &mut **sink,
            AnySink::Staged(sink) => &mut **sink,
        }
    }

    pub(crate) fn file(&mut self) -> Option<&mut OutputFile> {
        match self {
            AnySink::Plain(_) | AnySink::Staged(_) => None,
            AnySink::File(sink) => Some(sink.file()),
        }
    }
}

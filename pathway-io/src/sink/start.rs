//! Starts the sinks of a table: [`start`].

use std::path::PathBuf;
use std::sync::Arc;

use super::outlet::{Outlet, Progress, SyncTarget};
use super::resume::{Resume, path_key, sink_id};
use super::spec::SinkSpec;
use super::thread::{self, Recovery};
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::control::Control;

pub(crate) struct StartedSinks<S: Schema> {
    pub(crate) outlets: Vec<Outlet<S>>,
    /// The transactional sinks, which are sent a commit only once it is durable.
    pub(crate) transactional: Vec<Outlet<S>>,
    pub(crate) checkpointed: Vec<CheckpointedSink>,
}

/// A sink that a checkpoint has to wait for.
pub(crate) struct CheckpointedSink {
    pub(crate) kind: CheckpointedKind,
    pub(crate) target: Arc<dyn SyncTarget>,
    pub(crate) progress: Arc<Progress>,
}

pub(crate) enum CheckpointedKind {
    /// The sink must have received every commit before it becomes durable. A file has a path.
    Output(Option<PathBuf>),
    Transactional {
        id: String,
        /// Whether the sink makes many commits durable together, so that the log must keep them until then.
        is_staged: bool,
    },
}

/// Routes a sync request to a sink: directly, or through the dataflow before the sink.
pub(crate) type SyncRoute<'a> = &'a dyn Fn(Arc<dyn SyncTarget>) -> Arc<dyn SyncTarget>;

/// The position from which the sinks of one table resume, in a persistent pipeline.
pub(crate) struct ResumeTable<'a, S: Schema> {
    pub(crate) resume: &'a Resume,
    /// The name of the table in a checkpoint.
    pub(crate) id: &'a str,
    /// The commits that a transactional sink may have missed.
    pub(crate) held: &'a [Commit<S>],
}

impl CheckpointedSink {
    fn new<S: Schema>(kind: CheckpointedKind, outlet: &Outlet<S>, route: SyncRoute<'_>) -> Self {
        CheckpointedSink {
            kind,
            target: route(Arc::new(outlet.sender.clone())),
            progress: Arc::clone(&outlet.progress),
        }
    }
}

/// Starts a thread for each sink.
pub(crate) fn start<S: Schema>(
    specs: Vec<SinkSpec<S>>,
    control: &Arc<Control>,
    table: Option<&ResumeTable<'_, S>>,
    route: SyncRoute<'_>,
) -> StartedSinks<S> {
    let mut started = StartedSinks { outlets: Vec::new(), transactional: Vec::new(), checkpointed: Vec::new() };
    for mut spec in specs {
        let Some(ResumeTable { resume, id, held }) = table else {
            started.outlets.push(thread::spawn(spec, None, control));
            continue;
        };
        if spec.is_transactional {
            let id = sink_id(id, started.transactional.len());
            let known = resume.sink_time(&id);
            let recovery = Recovery { checkpoint: resume.time(), known, held: held.to_vec() };
            let is_staged = spec.sink.staged().is_some();
            let outlet = thread::spawn(spec, Some(recovery), control);
            // The checkpointer itself sends this sink its commits, so the sync request needs no route.
            let kind = CheckpointedKind::Transactional { id, is_staged };
            started.checkpointed.push(CheckpointedSink::new(kind, &outlet, &|sink| sink));
            started.transactional.push(outlet);
        } else {
            let mut path = None;
            if let (Some(target), Some(file)) = (&spec.target, spec.sink.file()) {
                file.persist(resume.file(&path_key(&target.path)));
                path = Some(target.path.clone());
            }
            let outlet = thread::spawn(spec, None, control);
            started.checkpointed.push(CheckpointedSink::new(CheckpointedKind::Output(path), &outlet, route));
            started.outlets.push(outlet);
        }
    }
    started
}

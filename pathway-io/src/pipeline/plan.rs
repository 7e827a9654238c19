//! [`Plan`]: what a pipeline is laid out to be.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::persist::{AskedSink, Durability, Start};
use crate::pipeline::any_table::{AnyTable, StartedBy};
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{Error, FailureKind, Result};
use crate::sequencer::{SharedStage, Stage};
use crate::sink::Target;
use crate::source::offset::OffsetType;
use crate::source::options::{BadRows, ReadOptions};
use crate::source::partition::Partition;
use crate::source::shared::Source;

pub(super) struct Plan {
    pub(super) sources: Vec<SourcePlan>,
    pub(super) grace: Duration,
    pub(super) handle_signals: bool,
    pub(super) progress: bool,
    pub(super) durability: Durability,
}

/// A source that was read and does not run yet.
pub(crate) struct SourcePlan {
    pub(crate) name: Arc<str>,
    pub(crate) options: ReadOptions,
    pub(crate) tables: Vec<Arc<dyn AnyTable>>,
    pub(crate) offset_type: OffsetType,
    pub(super) launch: Launcher,
}

/// What starts a source's thread.
pub(super) type Spawn = Box<dyn FnOnce(Arc<Source>, usize) -> std::io::Result<()> + Send>;

/// How a source is started.
pub(super) enum Launcher {
    Whole(Spawn),
    InParts(Box<dyn Fn(Partition) -> Spawn + Send>),
}

/// A source, or a part of one, that is to be started.
pub(super) struct Part {
    pub(super) name: Arc<str>,
    pub(super) stages: Vec<Box<dyn Stage>>,
    /// The sinks that a checkpoint waits for, with the number of their table.
    pub(super) asked: Vec<(usize, AskedSink)>,
    pub(super) spawn: Spawn,
}

impl SourcePlan {
    pub(crate) fn is_in_parts(&self) -> bool {
        matches!(self.launch, Launcher::InParts(_))
    }

    /// What is to be started of the source in this process. Parts feed the same tables.
    pub(super) fn parts(self, workers: &Workers, control: &Arc<Control>, start: Option<&Arc<Start>>) -> Vec<Part> {
        let (mut stages, mut asked) = (Vec::new(), Vec::new());
        for (number, table) in self.tables.iter().enumerate() {
            let place = start.map(|start| start.place_of(&self.name, number));
            let started = table.start(&StartedBy { control: Arc::clone(control), place }, workers);
            stages.push(started.stage);
            asked.extend(started.sinks.into_iter().map(|sink| (number, sink)));
        }
        let launch = match self.launch {
            Launcher::Whole(spawn) => return vec![Part { name: self.name, stages, asked, spawn }],
            Launcher::InParts(launch) => launch,
        };
        let shared: Vec<SharedStage> = stages.into_iter().map(SharedStage::new).collect();
        let parts = (0..workers.threads).map(|worker| {
            let part = Partition::of(workers, worker);
            let name =
                if part.count > 1 { format!("{}[{}]", self.name, part.index).into() } else { Arc::clone(&self.name) };
            let stages = shared.iter().map(|stage| Box::new(stage.of_worker(worker)) as Box<dyn Stage>).collect();
            Part { name, stages, asked: std::mem::take(&mut asked), spawn: launch(part) }
        });
        parts.collect()
    }
}

impl Plan {
    /// Sources run in process 0, and this is another; only those in parts run in each.
    #[cfg(feature = "dataflow")]
    pub(super) fn leave_to_others(&mut self) {
        self.sources.retain(|source| {
            let runs = matches!(source.launch, Launcher::InParts(_));
            if !runs {
                source.tables.iter().for_each(|table| table.leave_to_others());
            }
            runs
        });
    }

    /// What runs in each process has a quarantine in each: on one machine they would write into each other's.
    #[cfg(feature = "dataflow")]
    pub(super) fn number_quarantines(&mut self, process: usize) {
        for source in self.sources.iter_mut().filter(|source| source.is_in_parts()) {
            if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
                let path = crate::sink::file::numbered(&path, process);
                source.options = std::mem::take(&mut source.options).bad_rows(BadRows::Quarantine(path));
            }
        }
    }

    /// A second source of one name gets `-2` behind it, a third `-3`.
    pub(super) fn unique_name(&mut self, name: &str) -> Arc<str> {
        let mut unique = name.to_owned();
        let mut number = 1;
        while self.sources.iter().any(|source| *source.name == *unique) {
            number += 1;
            unique = format!("{name}-{number}");
        }
        unique.into()
    }

    /// Two sinks on one path would write into each other's rows, and in the directory of a state the next start finds
    /// nothing else.
    pub(super) fn check_paths(&self, derived: &[Arc<dyn AnyTable>], state: Option<&Path>) -> Result<()> {
        let state = state.map(resolve);
        let mut seen: HashMap<PathBuf, Vec<Target>> = HashMap::new();
        let tables = self.sources.iter().flat_map(|source| &source.tables).chain(derived);
        let mut targets: Vec<Target> = tables.flat_map(|table| table.targets()).collect();
        for source in &self.sources {
            if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
                targets.push(Target::file(path));
            }
        }
        for target in targets {
            let path = resolve(&target.path);
            if state.as_deref().is_some_and(|state| path.parent() == Some(state)) {
                let message = "it is in the state directory, and a state wants a directory of its own";
                return Err(Error::sink(&target.path.display().to_string(), FailureKind::Failed(message.into())));
            }
            let others = seen.entry(path).or_default();
            // The tables of a database may stand beside each other.
            let apart = |other: &Target| match (&other.part, &target.part) {
                (Some(other), Some(part)) => !other.eq_ignore_ascii_case(part),
                _ => false,
            };
            if let Some(other) = others.iter().find(|other| !apart(other)) {
                return Err(written_twice(other, &target));
            }
            others.push(target);
        }
        Ok(())
    }
}

fn written_twice(one: &Target, other: &Target) -> Error {
    let message = match (&one.part, &other.part) {
        (Some(_), Some(part)) => format!("two sinks write to its table `{part}`"),
        _ => format!("two sinks write to one file, as `{}` and `{}`", one.path.display(), other.path.display()),
    };
    Error::sink(&other.path.display().to_string(), FailureKind::Failed(message.into()))
}

/// One spelling of a path, whether the file exists or not.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

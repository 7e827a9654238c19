//! [`Plan`]: the sources and settings of a pipeline before it starts.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::any_table::AnyTable;
use super::workers::Workers;
use crate::run::control::PartId;
use crate::run::error::{Error, FailureKind, Result};
use crate::run::files::FileId;
use crate::run::guard::guarded;
use crate::run::quarantine::BadRows;
use crate::sink::file::numbered;
use crate::sink::spec::Target;
use crate::source::offset::OffsetType;
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::shared::Source;

/// The default time that sources, and then sinks, have to end after a stop.
const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(10);

pub(super) struct Plan {
    pub(super) sources: Vec<SourcePlan>,
    pub(super) grace_period: Duration,
    pub(super) handle_signals: bool,
    pub(super) progress: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { sources: Vec::new(), grace_period: DEFAULT_GRACE_PERIOD, handle_signals: true, progress: false }
    }
}

/// A source that was added to the pipeline and has not been started.
pub(crate) struct SourcePlan {
    pub(crate) name: Arc<str>,
    pub(crate) options: ReadOptions,
    pub(crate) tables: Vec<Arc<dyn AnyTable>>,
    pub(crate) offset_type: OffsetType,
    pub(super) launch: Launcher,
}

/// A function that starts the thread of a source.
pub(super) type Spawn = Box<dyn FnOnce(Arc<Source>, PartId) -> std::io::Result<()> + Send>;

/// Starts a source: once, or once per partition.
pub(super) enum Launcher {
    /// `None` once its reader was taken.
    Whole(Option<Spawn>),
    Partitioned(Box<dyn Fn(Partition) -> Spawn + Send>),
}

/// A source, or a partition of one, that is ready to start.
pub(super) struct SourceReader {
    pub(super) name: Arc<str>,
    /// The worker that owns the partition, for a partitioned source.
    pub(super) worker: Option<usize>,
    pub(super) spawn: Spawn,
}

impl SourcePlan {
    pub(crate) fn is_partitioned(&self) -> bool {
        matches!(self.launch, Launcher::Partitioned(_))
    }

    /// Returns the readers of this process. It can be called once.
    ///
    /// # Errors
    ///
    /// Returns an error if the clone of a partitioned connector panics.
    pub(super) fn take_readers(&mut self, workers: &Workers) -> Result<Vec<SourceReader>> {
        let launch = match &mut self.launch {
            Launcher::Whole(spawn) => {
                let reader = |spawn| SourceReader { name: Arc::clone(&self.name), worker: None, spawn };
                return Ok(spawn.take().map(reader).into_iter().collect());
            }
            Launcher::Partitioned(launch) => launch,
        };
        let reader = |worker| {
            let partition = Partition { index: workers.numbers().start + worker, count: workers.count() };
            let name = match partition.count {
                1 => Arc::clone(&self.name),
                _ => format!("{}[{}]", self.name, partition.index).into(),
            };
            let spawn =
                guarded("its clone", || launch(partition)).map_err(|kind| Error::connector(&self.name, kind))?;
            Ok(SourceReader { name, worker: Some(worker), spawn })
        };
        (0..workers.threads).map(reader).collect()
    }
}

impl Plan {
    /// Removes the sources that run only in process 0. Partitioned sources run in every process.
    pub(super) fn keep_partitioned(&mut self) {
        self.sources.retain(|source| {
            let runs = source.is_partitioned();
            if !runs {
                source.tables.iter().for_each(|table| table.sinks().leave());
            }
            runs
        });
    }

    /// Gives each process its own quarantine files, because processes on one machine would write to the same files.
    pub(super) fn number_quarantines(&mut self, process: usize) {
        for source in self.sources.iter_mut().filter(|source| source.is_partitioned()) {
            if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
                let path = numbered(&path, process);
                source.options = std::mem::take(&mut source.options).bad_rows(BadRows::Quarantine(path));
            }
        }
    }

    /// Returns a name that no other source has: the second source of a name gets the suffix `-2`, the third `-3`.
    pub(super) fn unique_name(&self, name: &str) -> Arc<str> {
        let mut unique = name.to_owned();
        let mut number = 1;
        while self.sources.iter().any(|source| *source.name == *unique) {
            number += 1;
            unique = format!("{name}-{number}");
        }
        unique.into()
    }

    /// Checks that no two sinks write to the same path, and that no sink writes into the state directory. The files of
    /// all `workers` are checked, because processes can run on one machine.
    pub(super) fn check_paths(
        &self,
        derived: &[Arc<dyn AnyTable>],
        workers: usize,
        state: Option<&Path>,
    ) -> Result<()> {
        let state = state.map(resolve);
        let mut seen: HashMap<TargetKey, Vec<Target>> = HashMap::new();
        let tables = self.sources.iter().flat_map(|source| &source.tables).chain(derived);
        let mut targets: Vec<Target> = tables.flat_map(|table| table.sinks().targets(0..workers)).collect();
        for source in &self.sources {
            if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
                targets.push(Target::file(path));
            }
        }
        for target in targets {
            let key = if target.is_server {
                TargetKey::Server(target.path.clone())
            } else {
                let path = resolve(&target.path);
                // The directory of a Parquet sink can be the state directory itself.
                if state.as_deref().is_some_and(|state| path.starts_with(state)) {
                    let message = "it is in the state directory, which must not hold other files\nhelp: write it to another directory";
                    return Err(Error::sink(&target.path.display().to_string(), FailureKind::Failed(message.into())));
                }
                // A device or a pipe may be shared, and a file has as many names as it has links. A directory has the
                // parts of one table.
                let found = path.metadata().ok();
                if found.as_ref().is_some_and(|found| !found.is_file() && !found.is_dir()) {
                    continue;
                }
                found.as_ref().and_then(FileId::of).map_or(TargetKey::Path(path), TargetKey::Id)
            };
            let others = seen.entry(key).or_default();
            // Sinks may write to different tables of the same database.
            if let Some(other) = others.iter().find(|other| !target.is_apart_from(other)) {
                return Err(written_twice(other, &target));
            }
            others.push(target);
        }
        Ok(())
    }
}

/// The identity of a file or a database server.
#[derive(PartialEq, Eq, Hash)]
enum TargetKey {
    Id(FileId),
    /// The file does not exist yet.
    Path(PathBuf),
    Server(PathBuf),
}

fn written_twice(one: &Target, other: &Target) -> Error {
    let message = match (&one.part, &other.part) {
        (Some(_), Some(part)) => format!("two sinks write to its table `{part}`\nhelp: give each sink its own table"),
        _ => {
            let kind = if other.path.is_dir() { "directory" } else { "file" };
            let (one, other) = (one.path.display(), other.path.display());
            format!("two sinks write to one {kind}, as `{one}` and `{other}`\nhelp: give each sink its own path")
        }
    };
    Error::sink(&other.path.display().to_string(), FailureKind::Failed(message.into()))
}

/// Returns the canonical form of a path, whether the file exists or not.
fn resolve(path: &Path) -> PathBuf {
    let error = match path.canonicalize() {
        Ok(real) => return real,
        Err(error) => error,
    };
    let parent = path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    // This is a link to a file that does not exist yet. Links in a circle cause a different error.
    if let (ErrorKind::NotFound, Some(parent), Ok(target)) = (error.kind(), parent, path.read_link()) {
        return resolve(&parent.join(target));
    }
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use pathway_derive::Schema;

    use super::*;
    use crate::rows::table::Table;

    #[derive(Schema)]
    #[schema(crate = crate)]
    struct Cat {
        key: i64,
    }

    fn check_paths(state: Option<&Path>, attach: impl FnOnce(&Table<Cat>)) -> Result<(), String> {
        let table = Table::new("cats".into());
        attach(&table);
        Plan::default().check_paths(&[Arc::new(table)], 2, state).map_err(|error| error.to_string())
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_database_server_is_not_in_a_directory() {
        use crate::sink::postgres::{Options, write, write_with};
        let zoo = "host=localhost dbname=zoo";
        // The working directory is the state directory.
        check_paths(Some(Path::new(".")), |cats| write(cats, zoo)).unwrap();
        let twice = check_paths(None, |cats| {
            write(cats, zoo);
            write_with(cats, zoo, Options::new().table("others"));
            write(cats, "host=localhost dbname=zoo user=keeper");
        });
        assert!(twice.unwrap_err().contains("two sinks write to its table"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_that_does_not_exist_is_followed() {
        use crate::sink::csv::write;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for (link, target) in [("a.csv", "b.csv"), ("b.csv", "state/c.csv"), ("x.csv", "y.csv"), ("y.csv", "x.csv")] {
            std::os::unix::fs::symlink(target, path(link)).unwrap();
        }
        std::fs::create_dir(path("state")).unwrap();
        let twice = check_paths(None, |cats| ["a.csv", "state/c.csv"].iter().for_each(|name| write(cats, path(name))));
        assert!(twice.unwrap_err().contains("two sinks write to one file"));
        let inside = check_paths(Some(&path("state")), |cats| write(cats, path("a.csv")));
        assert!(inside.unwrap_err().contains("it is in the state directory"));
        check_paths(None, |cats| ["x.csv", "y.csv"].iter().for_each(|name| write(cats, path(name)))).unwrap();
    }

    #[test]
    fn a_file_that_does_not_exist_is_found_under_its_relative_and_its_absolute_path() {
        use crate::sink::csv::write;
        let here = std::env::current_dir().unwrap();
        for name in ["none.csv", "none/none.csv"] {
            let twice =
                check_paths(None, |cats| [Path::new(name), &here.join(name)].iter().for_each(|path| write(cats, path)));
            assert!(twice.unwrap_err().contains("two sinks write to one file"), "{name}");
        }
    }

    #[test]
    fn the_paths_of_each_worker_are_checked() {
        use crate::sink::csv::{Options, write, write_with};
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let beside = |others: &[&str]| {
            check_paths(None, |cats| {
                write_with(cats, path("counts.csv"), Options::new().per_worker());
                others.iter().for_each(|name| write(cats, path(name)));
            })
        };
        beside(&["counts.csv", "counts.2.csv"]).unwrap();
        for name in ["counts.0.csv", "counts.1.csv"] {
            assert!(beside(&[name]).unwrap_err().contains("two sinks write to one file"), "{name}");
        }
        let twice = check_paths(None, |cats| {
            (0..2).for_each(|_| write_with(cats, path("counts.csv"), Options::new().per_worker()));
        });
        assert!(twice.unwrap_err().contains("two sinks write to one file"));
    }
}

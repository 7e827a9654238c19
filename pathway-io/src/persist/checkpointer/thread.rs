//! The thread of the checkpointer: its start and its end.

use std::sync::Arc;

use super::{CheckpointPlan, Checkpointer, PartFailed};
use crate::persist::directory::StateDirectory;
use crate::pipeline::extensions::{CheckpointerPart, Checkpointing};
use crate::run::error::Error;
use crate::run::guard::{Ending, guarded};
use crate::run::part::Phase;
use crate::run::threads;

/// The checkpointer of a run.
pub(in crate::persist) struct CheckpointerThread {
    /// The arguments of the thread, until it starts.
    pub(in crate::persist) plan: Option<CheckpointPlan>,
    /// The directory, locked until the end of the run.
    pub(in crate::persist) directory: Arc<StateDirectory>,
}

impl Checkpointing for CheckpointerThread {
    fn start(&mut self) {
        let Some(plan) = self.plan.take() else { return };
        let control = Arc::clone(&plan.control);
        let part = Arc::new(CheckpointerPart::default());
        let id = control.add(Arc::clone(&part) as _, Phase::Opening);
        let ending = Arc::clone(&control);
        let spawned = threads::spawn("checkpointer", move || {
            let _ending = Ending { control: &ending, id };
            let path = plan.directory.path().to_owned();
            let result = guarded("its checkpointer", || {
                let checkpointer = Checkpointer::begin(plan, part)?;
                ending.set_phase(id, Phase::Running);
                checkpointer.serve()
            });
            match result {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.is::<PartFailed>() => {}
                Ok(Err(error)) => {
                    let path = path.display();
                    ending.fail(Error::pipeline(format!("could not keep its state in `{path}`: {error}")));
                }
                Err(kind) => ending.fail(Error::pipeline_failure(kind)),
            }
        });
        if let Err(error) = spawned {
            control.fail(Error::pipeline(error));
            control.set_phase(id, Phase::Ended);
        }
    }

    fn give_up(&mut self) {
        self.plan = None;
    }

    fn release(self: Box<Self>, abandoned: bool) {
        if abandoned {
            std::mem::forget(self.directory);
        }
    }
}

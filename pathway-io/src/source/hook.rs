//! The hooks of `on_interrupt`, which unblock a `run` that waits in a call of another library.

use std::sync::{Arc, Weak};

use crate::run::control::Control;
use crate::run::error::{Error, FailureKind};
use crate::run::guard::{dropped, guarded};
use crate::run::lock::Lock;
use crate::run::threads;

type HookTask = Box<dyn FnOnce() + Send>;

pub(crate) struct Hooks {
    name: Arc<str>,
    control: Arc<Control>,
    state: Lock<HookState>,
}

#[derive(Default)]
struct HookState {
    /// Whether the hooks of the current attempt were called, so that a new one is called immediately.
    is_fired: bool,
    /// The number of the current attempt. A hook of an earlier attempt is dropped, since that `run` has returned.
    attempt: u32,
    next: u64,
    waiting: Vec<(u64, HookTask)>,
    /// The number of hooks that are being called. The run waits for them.
    running: usize,
}

/// A registered hook, returned by [`Subject::on_interrupt`](crate::Subject::on_interrupt).
///
/// Dropping it does not cancel the hook.
pub struct Hook {
    hooks: Weak<Hooks>,
    id: u64,
}

impl Hook {
    /// Cancels the hook, for example if the source has replaced the connection that the hook would close.
    ///
    /// Does nothing if the hook was already called.
    pub fn cancel(&self) {
        if let Some(hooks) = self.hooks.upgrade() {
            let cancelled = {
                let mut state = hooks.state.lock();
                let place = state.waiting.iter().position(|(id, _)| *id == self.id);
                place.map(|place| state.waiting.swap_remove(place))
            };
            // The drop is outside the lock, because it may run user code that registers or cancels a hook.
            drop(cancelled);
        }
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}

impl Hooks {
    pub(crate) fn new(name: Arc<str>, control: Arc<Control>) -> Arc<Self> {
        Arc::new(Hooks { name, control, state: Lock::default() })
    }

    pub(crate) fn are_running(&self) -> bool {
        self.state.lock().running > 0
    }

    pub(crate) fn add(self: &Arc<Self>, attempt: u32, task: HookTask) -> Hook {
        let mut state = self.state.lock();
        let id = state.next;
        state.next += 1;
        if attempt != state.attempt {
            // The lock is released before `task` is dropped, since that drop may run user code.
            drop(state);
        } else if state.is_fired {
            state.running += 1;
            drop(state);
            self.spawn(task);
        } else {
            state.waiting.push((id, task));
        }
        Hook { hooks: Arc::downgrade(self), id }
    }

    /// Calls all hooks, each on its own thread, so that a hook that blocks does not delay the others. With an
    /// `attempt`, calls only the hooks of that attempt, and only if it has not ended. The next attempt has its own
    /// hooks.
    pub(crate) fn fire(self: &Arc<Self>, attempt: Option<u32>) {
        let tasks = {
            let mut state = self.state.lock();
            if attempt.is_some_and(|attempt| attempt != state.attempt) {
                return;
            }
            state.is_fired = true;
            let tasks = std::mem::take(&mut state.waiting);
            // The hooks are counted under the lock, so that the source cannot count as ended before its hooks do.
            state.running += tasks.len();
            tasks
        };
        for (_, task) in tasks {
            self.spawn(task);
        }
    }

    /// Drops the hooks that were not called, after a call of `run`. Further hooks of this attempt are dropped.
    pub(crate) fn end_attempt(&self) {
        let uncalled = {
            let mut state = self.state.lock();
            state.attempt += 1;
            // The interrupt concerned only the idle attempt. After a stop no attempt follows.
            state.is_fired = false;
            std::mem::take(&mut state.waiting)
        };
        if let Err(kind) = dropped("the drop of an `on_interrupt` hook", uncalled) {
            self.fail(kind);
        }
    }

    /// Calls a hook that has already been counted as running.
    fn spawn(self: &Arc<Self>, task: HookTask) {
        let hooks = Arc::clone(self);
        let spawned = threads::spawn(&format!("{} interrupt", self.name), move || {
            if let Err(kind) = guarded("an `on_interrupt` hook", task) {
                hooks.fail(kind);
            }
            hooks.end_one();
        });
        if let Err(error) = spawned {
            self.fail(FailureKind::Failed(Box::new(error)));
            self.end_one();
        }
    }

    fn end_one(&self) {
        self.state.lock().running -= 1;
        self.control.notify();
    }

    fn fail(&self, kind: FailureKind) {
        self.control.fail(Error::connector(&self.name, kind));
    }
}

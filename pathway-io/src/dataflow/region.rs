//! The region of each computation, which lets an error message name the computation that panics or does not end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use timely::progress::operate::{Connectivity, FrontierInterest, SharedProgress};
use timely::progress::{Operate, timestamp::Timestamp};
use timely::scheduling::Schedule;

/// The computation that a worker is running.
#[derive(Clone)]
pub(crate) struct Busy {
    working: Arc<AtomicBool>,
    /// The computation that the worker ran last.
    computation: Arc<AtomicUsize>,
    names: Arc<[Arc<str>]>,
}

const NONE: usize = usize::MAX;

impl Busy {
    /// `names` holds the names of all computations.
    pub(crate) fn new(names: &Arc<[Arc<str>]>) -> Self {
        Busy { working: Arc::default(), computation: Arc::new(AtomicUsize::new(NONE)), names: Arc::clone(names) }
    }

    /// Runs `work` and marks `computation` as running. The mark stays if `work` panics, so that the error can name it.
    pub(crate) fn with<T>(&self, computation: usize, work: impl FnOnce() -> T) -> T {
        self.computation.store(computation, Ordering::Relaxed);
        self.working.store(true, Ordering::Relaxed);
        let result = work();
        self.working.store(false, Ordering::Relaxed);
        result
    }

    pub(crate) fn name(&self) -> Option<Arc<str>> {
        if self.working.load(Ordering::Relaxed) { self.last() } else { None }
    }

    /// Returns the name of the computation that the worker ran last.
    pub(crate) fn last(&self) -> Option<Arc<str>> {
        self.names.get(self.computation.load(Ordering::Relaxed)).cloned()
    }
}

/// An operator that marks its computation as running while it works.
pub(crate) struct WatchedOperator<O> {
    pub(crate) operator: O,
    pub(crate) computation: usize,
    pub(crate) busy: Busy,
}

impl<T: Timestamp, O: Operate<T> + 'static> Operate<T> for WatchedOperator<O> {
    fn local(&self) -> bool {
        self.operator.local()
    }

    fn inputs(&self) -> usize {
        self.operator.inputs()
    }

    fn outputs(&self) -> usize {
        self.operator.outputs()
    }

    fn initialize(self: Box<Self>) -> (Connectivity<T::Summary>, Rc<RefCell<SharedProgress<T>>>, Box<dyn Schedule>) {
        let WatchedOperator { operator, computation, busy } = *self;
        let (connectivity, progress, operator) = Box::new(operator).initialize();
        (connectivity, progress, Box::new(Scheduled { operator, computation, busy }))
    }

    fn notify_me(&self) -> &[FrontierInterest] {
        self.operator.notify_me()
    }
}

struct Scheduled {
    operator: Box<dyn Schedule>,
    computation: usize,
    busy: Busy,
}

impl Schedule for Scheduled {
    fn name(&self) -> &str {
        self.operator.name()
    }

    fn path(&self) -> &[usize] {
        self.operator.path()
    }

    fn schedule(&mut self) -> bool {
        let operator = &mut self.operator;
        self.busy.with(self.computation, || operator.schedule())
    }
}

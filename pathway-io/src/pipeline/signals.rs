//! SIGINT, SIGTERM and SIGHUP, or Ctrl-C on Windows, as stops.
//!
//! The first signal of a running pipeline asks it to stop; the second ends the process as its default action would,
//! with the cursor below the lines of [`progress`](super::progress). When no pipeline runs, signals have their default
//! action.

#[cfg(unix)]
pub(crate) use unix::Signals;
#[cfg(windows)]
pub(crate) use windows::Signals;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LazyLock};
    use std::thread::JoinHandle;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    use signal_hook::flag;
    use signal_hook::iterator;
    use signal_hook::low_level::emulate_default_handler;

    use crate::pipeline::progress;
    use crate::run::control::Control;
    use crate::run::error::{Error, Result};
    use crate::run::lock::Lock;
    use crate::run::summary::Stop;
    use crate::run::threads;

    /// Whether no pipeline runs.
    ///
    /// `signal-hook` cannot return a signal to the system once it was handled, so the default action of a signal is
    /// emulated while this is set.
    static IDLE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));
    /// Whether no pipeline draws on the terminal, so that Ctrl-Z stops the process immediately.
    static UNDRAWN: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));
    static REGISTRY: Lock<Registry> = Lock::new(Registry { running: Vec::new(), listener: None });

    /// The pipelines that run with signals on, and the thread that listens for them.
    ///
    /// One thread decides for all pipelines, so that each signal counts once, however quickly the next one follows.
    struct Registry {
        running: Vec<Entry>,
        listener: Option<Listener>,
    }

    struct Entry {
        control: Arc<Control>,
        /// Whether a signal has asked the pipeline to stop.
        is_signalled: bool,
        /// Whether the pipeline draws on the terminal.
        draws: bool,
    }

    struct Listener {
        handle: iterator::Handle,
        thread: JoinHandle<()>,
    }

    /// The signals that request a stop. SIGHUP is not among them if the process ignores it, as under `nohup`. SIGINT
    /// always is: a shell without job control starts background jobs that ignore SIGINT, but scripts stop such jobs
    /// with it.
    static STOPS: LazyLock<Vec<i32>> = LazyLock::new(|| {
        let mut stops = vec![SIGINT, SIGTERM];
        if !is_ignored(SIGHUP) {
            stops.push(SIGHUP);
        }
        stops
    });

    /// Returns whether the process ignores a signal. Only Linux reports this without `unsafe`. On other systems, the
    /// function returns `false`.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        mask & (1 << (signal - 1)) != 0
    }

    impl Registry {
        /// Starts the listener, unless it runs.
        fn listen(&mut self, draws: bool) -> io::Result<()> {
            static DEFAULT_ACTIONS: Lock<Vec<i32>> = Lock::new(Vec::new());
            let mut registered = DEFAULT_ACTIONS.lock();
            let mut register = |signal, flag: &Arc<AtomicBool>| {
                if !registered.contains(&signal) {
                    flag::register_conditional_default(signal, Arc::clone(flag))?;
                    registered.push(signal);
                }
                io::Result::Ok(())
            };
            for &signal in &*STOPS {
                register(signal, &IDLE)?;
            }
            // Only a program that draws needs to know of Ctrl-Z.
            let draws = draws && !is_ignored(SIGTSTP);
            if draws {
                register(SIGTSTP, &UNDRAWN)?;
            }
            if self.listener.is_none() {
                let mut signals = iterator::Signals::new(&*STOPS)?;
                let handle = signals.handle();
                let thread = threads::spawn("signals", move || signals.forever().for_each(handle_signal))?;
                self.listener = Some(Listener { handle, thread });
            }
            match &self.listener {
                Some(listener) if draws => listener.handle.add_signal(SIGTSTP),
                _ => Ok(()),
            }
        }

        fn set_flags(&self) {
            IDLE.store(self.running.is_empty(), Ordering::SeqCst);
            UNDRAWN.store(!self.running.iter().any(|entry| entry.draws), Ordering::SeqCst);
        }

        /// Ends the listener if no pipeline runs. Returns its thread.
        fn close(&mut self) -> Option<JoinHandle<()>> {
            self.set_flags();
            let listener = if self.running.is_empty() { self.listener.take()? } else { return None };
            // This happens under the lock, so that no signal is lost between the old listener and a new one.
            listener.handle.close();
            Some(listener.thread)
        }
    }

    /// Handles a signal. It does not run the user's code, which could block the next signal.
    fn handle_signal(signal: i32) {
        if signal == SIGTSTP {
            // If this fails, the process just continues.
            progress::leave_terminal(false, || drop(emulate_default_handler(signal)));
            return;
        }
        let unsignalled: Vec<Arc<Control>> = {
            let mut registry = REGISTRY.lock();
            let unsignalled = registry.running.iter_mut().filter(|entry| !entry.is_signalled);
            unsignalled.map(|entry| (entry.is_signalled = true, Arc::clone(&entry.control)).1).collect()
        };
        if unsignalled.is_empty() {
            // If the write to the terminal blocks, the handler ends the process at the next signal.
            IDLE.store(true, Ordering::SeqCst);
            progress::leave_terminal(true, || {
                drop(emulate_default_handler(signal));
                // The exit status that a shell reports for a program that this signal has ended.
                std::process::exit(128 + signal);
            });
        }
        for control in unsignalled {
            control.stop_elsewhere(Stop::Signal(signal));
        }
    }

    /// Handles signals until it is dropped.
    pub(crate) struct Signals(Arc<Control>);

    impl Signals {
        /// Starts to handle signals for a pipeline. `draws` says whether it draws on the terminal.
        pub(crate) fn install(control: &Arc<Control>, draws: bool) -> Result<Self> {
            let mut registry = REGISTRY.lock();
            if let Err(error) = registry.listen(draws) {
                let ended = registry.close();
                // The thread is not joined, because it may wait for the lock.
                drop(ended);
                return Err(Error::pipeline(error));
            }
            registry.running.push(Entry { control: Arc::clone(control), is_signalled: false, draws });
            registry.set_flags();
            Ok(Signals(Arc::clone(control)))
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            let mut registry = REGISTRY.lock();
            // `self` keeps the control, whose drop can run the user's code, until the lock is released.
            registry.running.retain(|entry| !Arc::ptr_eq(&entry.control, &self.0));
            let thread = registry.close();
            drop(registry);
            if let Some(thread) = thread {
                // The thread runs no code that panics.
                let _ = thread.join();
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::sync::{Arc, OnceLock, Weak};

    use crate::pipeline::progress;
    use crate::run::control::Control;
    use crate::run::error::{Error, Result};
    use crate::run::lock::Lock;
    use crate::run::summary::Stop;

    /// The pipelines that run with signals on. The console handler is installed once and stays.
    static RUNNING: Lock<Vec<Weak<Control>>> = Lock::new(Vec::new());
    static INSTALLED: OnceLock<std::result::Result<(), String>> = OnceLock::new();

    /// Handles Ctrl-C until it is dropped.
    pub(crate) struct Signals {
        control: Arc<Control>,
    }

    impl Signals {
        pub(crate) fn install(control: &Arc<Control>, _draws: bool) -> Result<Self> {
            let installed = INSTALLED.get_or_init(|| ctrlc::set_handler(on_ctrl_c).map_err(|error| error.to_string()));
            if let Err(error) = installed {
                return Err(Error::pipeline(error.clone()));
            }
            RUNNING.lock().push(Arc::downgrade(control));
            Ok(Signals { control: Arc::clone(control) })
        }
    }

    fn on_ctrl_c() {
        let running: Vec<_> = RUNNING.lock().iter().filter_map(Weak::upgrade).collect();
        if running.iter().all(|control| control.is_stopping()) {
            // The exit code of the console's default handler: STATUS_CONTROL_C_EXIT.
            progress::leave_terminal(true, || std::process::exit(0xC000_013A_u32 as i32));
        }
        for control in running {
            control.stop_elsewhere(Stop::Signal(2));
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            let mut running = RUNNING.lock();
            running.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(&self.control)));
        }
    }
}

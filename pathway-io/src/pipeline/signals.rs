//! SIGINT, SIGTERM and SIGHUP, or Ctrl-C on Windows, as stops.
//!
//! The first signal of a running pipeline asks it to stop; the second ends the process as its default action would.
//! When no pipeline runs, signals do what they do by default.

#[cfg(unix)]
pub(crate) use unix::Signals;
#[cfg(windows)]
pub(crate) use windows::Signals;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, OnceLock, PoisonError};
    use std::thread::JoinHandle;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator;

    use crate::run::control::Control;
    use crate::run::error::{Error, Result};
    use crate::run::summary::Stop;
    use crate::run::threads;

    /// Whether a signal is to end the process: no pipeline runs that has not been told to stop by one already.
    ///
    /// The library behind cannot give a signal back to the system once it was handled, so the default action is
    /// emulated while this is set.
    static LETHAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    /// How many pipelines wait for their first signal.
    static LISTENING: Mutex<usize> = Mutex::new(0);

    /// The signals that are stops. A program that was started by `nohup` ignores the end of its terminal.
    fn stops() -> &'static [i32] {
        static STOPS: OnceLock<Vec<i32>> = OnceLock::new();
        STOPS.get_or_init(|| {
            let mut stops = vec![SIGINT, SIGTERM];
            if !is_ignored(SIGHUP) {
                stops.push(SIGHUP);
            }
            stops
        })
    }

    /// Whether the process ignores a signal. Only Linux tells without `unsafe`; elsewhere the answer is no.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        mask & (1 << (signal - 1)) != 0
    }

    fn lethal() -> &'static Arc<AtomicBool> {
        LETHAL.get_or_init(|| Arc::new(AtomicBool::new(true)))
    }

    /// A pipeline that waits for its first signal, until it is heard or dropped.
    struct Listening(AtomicBool);

    impl Listening {
        fn start() -> Arc<Self> {
            let mut listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
            *listening += 1;
            lethal().store(false, Ordering::SeqCst);
            Arc::new(Listening(AtomicBool::new(true)))
        }

        fn end(&self) {
            if self.0.swap(false, Ordering::SeqCst) {
                let mut listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
                *listening -= 1;
                lethal().store(*listening == 0, Ordering::SeqCst);
            }
        }
    }

    /// Handles signals until it is dropped.
    pub(crate) struct Signals {
        listening: Arc<Listening>,
        handle: iterator::Handle,
        thread: Option<JoinHandle<()>>,
    }

    impl Signals {
        pub(crate) fn install(control: &Arc<Control>) -> Result<Self> {
            Self::try_install(control).map_err(Error::pipeline)
        }

        fn try_install(control: &Arc<Control>) -> io::Result<Self> {
            static DEFAULT_ACTION: Mutex<bool> = Mutex::new(false);
            let mut registered = DEFAULT_ACTION.lock().unwrap_or_else(PoisonError::into_inner);
            if !*registered {
                for &signal in stops() {
                    flag::register_conditional_default(signal, Arc::clone(lethal()))?;
                }
                *registered = true;
            }
            drop(registered);
            let mut signals = iterator::Signals::new(stops())?;
            let handle = signals.handle();
            let listening = Listening::start();
            let (control, ear) = (Arc::clone(control), Arc::clone(&listening));
            let spawned = threads::spawn("signals", move || {
                for signal in signals.forever() {
                    ear.end();
                    control.stop(Stop::Signal(signal));
                }
            });
            match spawned {
                Ok(thread) => Ok(Signals { listening, handle, thread: Some(thread) }),
                Err(error) => {
                    listening.end();
                    Err(error)
                }
            }
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.listening.end();
            self.handle.close();
            if let Some(thread) = self.thread.take() {
                // It runs no code that panics.
                let _ = thread.join();
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

    use crate::run::control::Control;
    use crate::run::error::{Error, Result};
    use crate::run::summary::Stop;

    /// The pipelines that run with signals on. The console handler is installed once and stays.
    static RUNNING: Mutex<Vec<Weak<Control>>> = Mutex::new(Vec::new());
    static INSTALLED: OnceLock<std::result::Result<(), String>> = OnceLock::new();

    /// Handles Ctrl-C until it is dropped.
    pub(crate) struct Signals {
        control: Arc<Control>,
    }

    impl Signals {
        pub(crate) fn install(control: &Arc<Control>) -> Result<Self> {
            let installed = INSTALLED.get_or_init(|| ctrlc::set_handler(on_ctrl_c).map_err(|error| error.to_string()));
            if let Err(error) = installed {
                return Err(Error::pipeline(error.clone()));
            }
            RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(control));
            Ok(Signals { control: Arc::clone(control) })
        }
    }

    fn on_ctrl_c() {
        let running: Vec<_> =
            RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        if running.iter().all(|control| control.is_stopping()) {
            // What the console does by itself: STATUS_CONTROL_C_EXIT.
            std::process::exit(0xC000_013A_u32 as i32);
        }
        for control in running {
            control.stop(Stop::Signal(2));
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            running.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(&self.control)));
        }
    }
}

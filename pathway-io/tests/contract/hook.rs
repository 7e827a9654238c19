//! The hooks of `on_interrupt`, which unblock a `run` that waits in a foreign read.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use pathway_io::{ReadOptions, Stop};

use crate::common::{Number, Subject, by_commit, commits, next, pipeline, run, source, within};

/// Returns the two ends of a connection.
pub fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (here, listener.accept().unwrap().0)
}

#[test]
fn a_hook_that_closes_a_socket_unblocks_the_read_and_the_stop_is_clean() {
    let (socket, peer) = connection();
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    let table = pipeline.read(source(move |subject: Subject<Number>| {
        subject.next(Number { n: 1 })?;
        subject.on_interrupt({
            let socket = socket.try_clone()?;
            move || socket.shutdown(Shutdown::Both)
        });
        ready.send(())?;
        let mut byte = [0];
        let read = (&socket).read(&mut byte)?;
        assert_eq!(read, 0);
        Err("the connection is lost".into())
    }));
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.stop, Some(Stop::Handle));
    assert_eq!(summary.sources[0].error.as_deref(), Some("the connection is lost"));
    assert_eq!(by_commit(&seen), [[1]]);
    drop(peer);
}

// Contract 5.1
#[test]
fn hooks_are_called_once_after_the_subjects_are_closed_from_another_thread() {
    let pipeline = pipeline();
    let called = Arc::new(Mutex::new(Vec::new()));
    let calls = Arc::clone(&called);
    let (ready, is_ready) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        let (hooked, is_hooked) = mpsc::channel();
        for hook in 0..2 {
            let (handle, calls, hooked) = (subject.clone(), Arc::clone(&calls), hooked.clone());
            subject.on_interrupt(move || {
                calls.lock().unwrap().push((hook, handle.is_closed(), thread::current().id()));
                hooked.send(()).unwrap();
            });
        }
        let own = thread::current().id();
        ready.send(())?;
        for _ in 0..2 {
            next(&is_hooked);
        }
        assert!(calls.lock().unwrap().iter().all(|(_, _, thread)| *thread != own));
        Ok(())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    running.stop();
    within(move || running.join()).unwrap();
    let mut calls: Vec<_> = called.lock().unwrap().iter().map(|(hook, closed, _)| (*hook, *closed)).collect();
    calls.sort_unstable();
    assert_eq!(calls, [(0, true), (1, true)]);
}

#[test]
fn a_hook_registered_after_the_stop_is_called_at_once() {
    let pipeline = pipeline();
    let stop = pipeline.stop_handle();
    pipeline.read(source(move |subject: Subject<Number>| {
        stop.stop();
        let (hooked, is_hooked) = mpsc::channel();
        let hook = subject.on_interrupt(move || hooked.send(()));
        next(&is_hooked);
        hook.cancel();
        Ok(())
    }));
    run(pipeline).unwrap();
}

#[test]
fn a_cancelled_hook_is_dropped_and_not_called() {
    let pipeline = pipeline();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    let (ready, is_ready) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        let (dropped, is_dropped) = mpsc::channel::<()>();
        let first = {
            let count = Arc::clone(&count);
            subject.on_interrupt(move || {
                count.fetch_add(1, Ordering::Relaxed);
                drop(dropped);
            })
        };
        let (hooked, is_hooked) = mpsc::channel();
        let count = Arc::clone(&count);
        subject.on_interrupt(move || {
            count.fetch_add(10, Ordering::Relaxed);
            hooked.send(())
        });
        first.cancel();
        assert_eq!(is_dropped.recv(), Err(mpsc::RecvError));
        first.cancel();
        ready.send(())?;
        next(&is_hooked);
        Ok(())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    within(move || running.join()).unwrap();
    assert_eq!(called.load(Ordering::Relaxed), 10);
}

#[test]
fn a_hook_that_blocks_does_not_delay_other_hooks() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        // The first and the last hook wait for the one in the middle, in whatever order the hooks are called.
        let waiting: Vec<_> = (0..2).map(|_| mpsc::channel::<()>()).collect();
        let (wakers, mut sleepers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let (hooked, is_hooked) = mpsc::channel();
        let block = |sleeper: mpsc::Receiver<()>, hooked: mpsc::Sender<()>| {
            move || {
                let _ = sleeper.recv();
                let _ = hooked.send(());
            }
        };
        subject.on_interrupt(block(sleepers.remove(0), hooked.clone()));
        subject.on_interrupt(move || drop(wakers));
        subject.on_interrupt(block(sleepers.remove(0), hooked));
        ready.send(())?;
        next(&is_hooked);
        next(&is_hooked);
        Ok(())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    within(move || {
        running.stop();
        running.join()
    })
    .unwrap();
}

#[test]
fn a_hook_that_never_returns_is_abandoned_and_named() {
    let pipeline = pipeline();
    pipeline.grace_period(Duration::from_millis(50));
    let (release, released) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let mut released = Some(released);
    pipeline.read_with(
        source(move |subject: Subject<Number>| {
            let (called, is_called) = mpsc::channel();
            let released = released.take();
            subject.on_interrupt(move || {
                called.send(()).unwrap();
                released.map(|released| released.recv())
            });
            ready.send(())?;
            next(&is_called);
            Ok(())
        }),
        ReadOptions::new().name("socket"),
    );
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert!(error.to_string().starts_with("connector `socket` did not finish"), "{error}");
    drop(release);
}

#[test]
fn hooks_are_dropped_when_run_has_returned() {
    let pipeline = pipeline();
    let is_dropped = Arc::new(Mutex::new(None));
    let checked = Arc::new(AtomicUsize::new(0));
    let (slot, count) = (Arc::clone(&is_dropped), Arc::clone(&checked));
    pipeline.read(
        source(move |subject: Subject<Number>| {
            let (dropped, is_dropped) = mpsc::channel::<()>();
            subject.on_interrupt(move || dropped.send(()));
            *slot.lock().unwrap() = Some(is_dropped);
            Ok(())
        })
        .on_stop(move || {
            let is_dropped = is_dropped.lock().unwrap().take().unwrap();
            // The hook was dropped without a call, and before `on_stop`.
            assert_eq!(is_dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
            count.fetch_add(1, Ordering::Relaxed);
        }),
    );
    run(pipeline).unwrap();
    assert_eq!(checked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_hook_registered_after_run_is_dropped_without_a_call() {
    let pipeline = pipeline();
    let (keep, kept) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| Ok(keep.send(subject)?)));
    run(pipeline).unwrap();
    let subject = next(&kept);
    let (dropped, is_dropped) = mpsc::channel::<()>();
    let hook = subject.on_interrupt(move || dropped.send(()));
    assert_eq!(is_dropped.recv(), Err(mpsc::RecvError));
    hook.cancel();
}

//! The wait for processes that do not connect.

use std::io::Write;
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;

use super::*;
use crate::run::summary::Stop;

/// The longest wait, which only a hang can reach.
const DEADLINE: Duration = Duration::from_secs(30);

/// Process 1 of three, which listens at any port. The test is process 0.
struct Cluster {
    listener: TcpListener,
    control: Arc<Control>,
    ended: mpsc::Receiver<Result<bool>>,
}

impl Cluster {
    fn new(notices: Option<fn(Notice, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let first = listener.local_addr().unwrap().to_string();
        let addresses = vec![first, "127.0.0.1:0".to_owned(), "elsewhere:1".to_owned()];
        let workers = Workers { process: 1, addresses, ..Workers::threads(1) };
        let control = Arc::<Control>::default();
        if let Some(notices) = notices {
            control.notices.set(notices).unwrap();
        }
        let (sender, ended) = mpsc::channel();
        let running = Arc::clone(&control);
        thread::spawn(move || sender.send(meet(&workers, 7, &running).map(|peers| peers.is_some())));
        Cluster { listener, control, ended }
    }

    /// Accepts all connections, and passes the connections for control messages to `with`. If a connection is answered
    /// too late, another one follows.
    fn serve(&self, with: impl Fn(TcpStream) + Send + 'static) {
        let listener = self.listener.try_clone().unwrap();
        thread::spawn(move || {
            let mut data = Vec::new();
            for stream in listener.incoming().map_while(io::Result::ok) {
                let stream = Arc::new(stream);
                let mut greeter = Greeter::new(&stream, &Arc::default(), Instant::now() + DEADLINE);
                let Ok((other, _)) = greeter.accept() else { continue };
                if greeter.answer(Answer::Accepted, Some(Greeting { process: 0, ..other })).is_err() {
                    continue;
                }
                if other.kind == ConnectionKind::Data as u64 {
                    data.push(stream);
                } else {
                    with(stream.try_clone().unwrap());
                }
            }
        });
    }

    fn end(&self) -> Result<bool, String> {
        self.ended.recv_timeout(DEADLINE).expect("it waits for ever").map_err(|error| error.to_string())
    }

    /// Returns an error about process 0.
    fn failure(&self, text: &str) -> Result<bool, String> {
        let address = self.listener.local_addr().unwrap();
        Err(format!("the pipeline failed: {}", text.replace("{0}", &format!("process 0 at {address}"))))
    }
}

#[test]
fn a_process_that_ends_before_all_are_connected_ends_the_wait() {
    let cluster = Cluster::new(None);
    cluster.serve(drop);
    assert_eq!(cluster.end(), cluster.failure("{0} is gone: it ended before all processes were connected"));
}

/// Process 2 connected to process 0, which is now running, but ended before it connected to process 1.
#[test]
fn the_wait_ends_if_another_process_was_connected_to_all() {
    let cluster = Cluster::new(None);
    let controls = Mutex::new(Vec::new());
    cluster.serve(move |mut control| {
        if control.write_all(b"a\0\0\0\0").is_ok() {
            controls.lock().unwrap().push(control);
        }
    });
    let failure = cluster.failure("process 2 at elsewhere:1 is gone: {0} is connected to all processes");
    assert_eq!(cluster.end(), failure);
}

#[test]
fn missing_processes_are_reported() {
    static TOLD: OnceLock<Mutex<mpsc::Sender<String>>> = OnceLock::new();
    let (sender, told) = mpsc::channel();
    TOLD.set(Mutex::new(sender)).unwrap();
    let cluster = Cluster::new(Some(|notice, text| {
        assert_eq!(notice, Notice::Missing);
        // At the end, the test no longer listens.
        let _ = TOLD.get().unwrap().lock().unwrap().send(text.to_owned());
    }));
    let first = format!("waiting for process 0 at {}", cluster.listener.local_addr().unwrap());
    assert!(told.recv_timeout(DEADLINE).unwrap().starts_with(&first));
    let controls = Mutex::new(Vec::new());
    cluster.serve(move |control| controls.lock().unwrap().push(control));
    while told.recv_timeout(DEADLINE).unwrap() != "waiting for process 2 at elsewhere:1" {}
    cluster.control.stop(Stop::Handle);
    assert_eq!(cluster.end(), Ok(false));
}

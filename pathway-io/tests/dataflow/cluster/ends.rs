//! The end of one process ends all processes, and each reports the reason.

use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use super::between::pair;
use super::{Cluster, end, ranked};

#[test]
fn a_killed_process_ends_the_others() {
    for killed in [0, 1, 2] {
        let mut cluster = Cluster::start(&["endless", "endless", "endless"], 1);
        cluster.wait_for_lines("0.csv", 100);
        cluster.processes[killed].kill().unwrap();
        let killed_at = Instant::now();
        let said = cluster.end();
        assert!(killed_at.elapsed() < Duration::from_secs(10));
        for (process, (out, err)) in said.iter().enumerate().filter(|(process, _)| *process != killed) {
            let gone = format!("failed: the pipeline failed: process {killed} at 127.0.0.1:");
            let failed = "failed: the pipeline failed: process ";
            assert!(out.contains(&gone) && out.contains(" is gone") || out.contains(failed), "{process}: {out}{err}");
            assert!(!err.contains("panicked"), "{err}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_stop_of_one_process_is_a_stop_of_all() {
    for (processes, threads, stopped) in [(2, 2, 0), (2, 2, 1), (3, 1, 0), (3, 1, 2)] {
        let mut cluster = Cluster::start(&["endless"; 3][..processes], threads);
        cluster.wait_for_lines("0.csv", 100);
        cluster.signal(stopped, "-TERM");
        for (out, err) in cluster.end() {
            assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
        }
    }
}
/// The dataflow of the other process is complete long before the message about the stop arrives.
#[cfg(unix)]
#[test]
fn a_stop_arrives_even_after_the_dataflow_is_complete() {
    let (mut cluster, _between) = pair("endless", Duration::from_millis(700));
    cluster.wait_for_lines("0.csv", 100);
    cluster.signal(0, "-TERM");
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}

/// Process 1 has finished its work and waits for process 0, whose sink never ends.
#[cfg(unix)]
#[test]
fn a_finished_process_can_stop_one_that_still_runs() {
    let mut cluster = Cluster::start(&["stuck", "stuck"], 1);
    cluster.wait_for_lines("0.csv", 2);
    // The property must hold whenever the stop comes. After this time, process 1 has usually reported that it is done.
    thread::sleep(Duration::from_millis(500));
    cluster.signal(1, "-TERM");
    let said = cluster.end();
    assert!(said[0].0.contains("failed: sink `Count` "), "{said:?}");
    for (out, err) in &said {
        assert!(out.contains("failed: ") && out.contains(", Some(Signal(15))"), "{out}{err}");
    }
}

/// The source and the sink of process 0 each take less than the grace period, and together more.
#[cfg(unix)]
#[test]
fn sources_and_then_sinks_of_other_processes_each_have_the_grace_period() {
    let mut cluster = Cluster::start(&["slow", "slow"], 1);
    cluster.wait_for_lines("0.csv", 2);
    cluster.signal(1, "-TERM");
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}

#[cfg(unix)]
#[test]
fn processes_that_lose_their_connection_end() {
    let (mut cluster, between) = pair("endless", Duration::ZERO);
    cluster.wait_for_lines("0.csv", 100);
    // Shuts down the data connections only, so that control messages still arrive.
    for line in between.data.try_iter() {
        line.shutdown(std::net::Shutdown::Both).unwrap();
    }
    for (process, (out, err)) in cluster.end().into_iter().enumerate() {
        assert!(out.contains(&format!("process {} at 127.0.0.1:", 1 - process)), "{out}{err}");
        assert!(out.contains(" is gone") && !err.contains("panicked"), "{out}{err}");
    }
}

/// The process is suspended. Like a machine without power, it closes no connection.
#[cfg(unix)]
#[test]
fn a_silent_process_counts_as_gone() {
    let mut cluster = Cluster::start(&["endless", "endless"], 1);
    cluster.wait_for_lines("0.csv", 100);
    cluster.signal(1, "-STOP");
    let (out, err) = end(cluster.processes.remove(0));
    let gone = "failed: the pipeline failed: process 1 at 127.0.0.1:";
    assert!(out.contains(gone) && out.contains(" is gone: it was silent for 10s"), "{out}{err}");
}

#[test]
fn a_failure_of_one_process_fails_all_and_queued_commits_are_written() {
    let mut cluster = Cluster::start(&["broken", "broken"], 1);
    let said = cluster.end();
    assert!(said[0].0.contains("failed: ") && said[0].0.contains("a sink breaks"), "{said:?}");
    assert!(said[1].0.contains("failed: the pipeline failed: process 0 at 127.0.0.1:"), "{said:?}");
    assert!(said[1].0.contains("a sink breaks"), "{said:?}");
    // The file holds whole commits, however far the source came.
    ranked(&cluster.dir.path("0.csv"));
}

#[test]
fn a_failing_source_fails_all_processes_and_its_rows_are_counted() {
    let mut cluster = Cluster::start(&["failing", "failing"], 1);
    let said = cluster.end();
    for (out, err) in &said {
        assert!(out.contains("failed: ") && out.contains("a source breaks, Some(Failure)"), "{out}{err}");
    }
    assert!(said[1].0.contains("process 0 at 127.0.0.1:"), "{said:?}");
    assert_eq!(ranked(&cluster.dir.path("0.csv")), ["1,x,0,1"]);
}

#[test]
fn a_panic_in_an_operator_names_the_computation_in_all_processes() {
    let mut cluster = Cluster::start(&["panicking", "panicking", "panicking"], 1);
    for (out, err) in cluster.end() {
        assert!(out.contains("computation `Count` panicked in an operator: no 13, Some(Failure)"), "{out}{err}");
    }
}

#[test]
fn a_process_of_another_program_is_rejected() {
    let mut cluster = Cluster::start(&["counting", "other"], 1);
    for (process, (out, err)) in cluster.end().into_iter().enumerate() {
        let other = 1 - process;
        let refused = format!("process {other} cannot take part: it runs another program");
        assert!(out.contains(&refused), "{out}{err}");
    }
}

/// The workers build a different dataflow if a table has no sink.
#[test]
fn a_process_with_different_sinks_is_rejected() {
    let mut cluster = Cluster::start(&["written", "unwritten"], 1);
    for (process, (out, err)) in cluster.end().into_iter().enumerate() {
        let other = 1 - process;
        let refused =
            format!("process {other} cannot take part: it runs another program, or one whose tables have other");
        assert!(out.contains(&refused), "{out}{err}");
    }
}

/// One machine still runs an older version of the program. Its rows would be read as rows of other columns.
#[test]
fn a_process_with_other_columns_is_rejected() {
    for programs in [["read", "read before"], ["computed", "computed from before"], ["computed", "computed before"]] {
        let mut cluster = Cluster::start(&programs, 1);
        for (process, (out, err)) in cluster.end().into_iter().enumerate() {
            let other = 1 - process;
            let refused = format!(
                "process {other} cannot take part: it runs another program, or one whose tables have other columns"
            );
            assert!(out.contains(&refused), "{programs:?}: {out}{err}");
        }
    }
}

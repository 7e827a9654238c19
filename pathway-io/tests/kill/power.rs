//! A sync that fails, the next start, and then a power cut. The disk lacks the data of the failed sync, although every
//! later sync has succeeded.

use pathway_io::faults::{Call, Fault, Mount, Unsynced};

use crate::bytes::{ALL, Place, run, step};

/// The states that a power cut can leave.
const CUTS: [(Unsynced, bool); 6] = [
    (Unsynced::Kept, true),
    (Unsynced::Zeros, true),
    (Unsynced::Lost, true),
    (Unsynced::Kept, false),
    (Unsynced::Zeros, false),
    (Unsynced::Lost, false),
];

/// Returns the calls of a run on a disk.
fn calls(place: &Place, disk: &Mount) -> Vec<Call> {
    run(place.path(), ALL).expect("the run succeeds");
    disk.calls()
}

#[test]
fn no_start_is_refused_after_a_failed_sync_and_a_power_cut() {
    let place = Place::new();
    let (mut states, mut case) = (0, 0);
    for beginning in &place.beginnings {
        place.begin(&beginning.1);
        let syncs = calls(&place, &Mount::new(place.path(), Fault::None));
        for sync in syncs.iter().filter(|call| call.operation == "sync") {
            let failed = || {
                place.begin(&beginning.1);
                let disk = Mount::new(place.path(), Fault::Call(sync.clone()));
                // The moment at which a new log starts depends on the threads, so it may not fail.
                let _ = run(place.path(), ALL);
                disk
            };
            let seconds = calls(&place, &failed().with_fault(Fault::None));
            // The power fails at a call of the second run, or after its end.
            for second in seconds.into_iter().map(Fault::Call).chain([Fault::None]) {
                for (unsynced, latest_names) in CUTS {
                    case += 1;
                    if case % step() != 0 {
                        continue;
                    }
                    let disk = failed().with_fault(second.clone());
                    let _ = run(place.path(), ALL);
                    disk.cut_power(unsynced, latest_names).expect("the real disk works");
                    let names = if latest_names { "the latest names" } else { "the names that were synced" };
                    place.continues(&format!(
                        "{}: {sync:?} failed, and the power at {second:?}: unsynced bytes {unsynced:?}, {names}",
                        beginning.0
                    ));
                    states += 1;
                }
            }
        }
    }
    println!("{states} of {case} states");
    assert!(states > 100, "{states}");
}

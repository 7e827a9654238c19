//! Sinks that use their table while the start calls them.

use std::sync::mpsc;
use std::time::Duration;

use pathway_derive::Schema;

use super::*;

#[derive(Schema)]
#[schema(crate = crate)]
struct Cat {
    key: i64,
}

/// A sink that attaches another one when the pipeline starts.
struct Attaching {
    table: Table<Cat>,
    from_check: bool,
}

impl Sink<Cat> for Attaching {
    fn write(&mut self, _: &Commit<Cat>) -> RunResult {
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        if !self.from_check {
            self.table.subscribe(|_| {});
        }
        true
    }

    fn row_check(&self) -> Option<RowCheck<Cat>> {
        self.table.subscribe(|_| {});
        None
    }
}

#[test]
fn a_sink_cannot_attach_another_one_during_the_start() {
    for from_check in [true, false] {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let table = Table::<Cat>::new("cats".into());
            table.write_to(Attaching { table: table.clone(), from_check });
            let checked = table.sinks().check().map(drop).map_err(|error| error.to_string());
            sender.send((checked, table.sinks().kinds())).unwrap();
            if from_check {
                assert_eq!(table.sinks().transactional(), 1);
            }
            table.subscribe(|_| {});
        });
        let (checked, kinds) = receiver.recv_timeout(Duration::from_secs(20)).expect("the start ends");
        let error = checked.unwrap_err();
        assert!(error.contains("the pipeline of its table has been started or dropped"), "{error}");
        assert_eq!(kinds, (true, false));
    }
}

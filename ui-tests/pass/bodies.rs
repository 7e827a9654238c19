//! Bodies with syntax that the macro does not know. Only rustc parses a body.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

macro_rules! source {
    ($name:ident, $before:block, |$cats:ident| $body:block) => {
        struct $name {
            stopped: std::sync::Arc<std::sync::atomic::AtomicBool>,
        }

        #[connector]
        impl $name {
            fn r#run(&mut self, $cats: Subject<Cat>) -> RunResult {
                #![allow(unused_braces)]
                $before
                $body
                Ok(())
            }

            fn r#on_stop(&mut self) {
                self.stopped.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
    };
}

source!(Cats, {}, |cats| {
    cats.next(Cat { key: 1 })?;
});

fn main() {
    let cats = Cats { stopped: Default::default() };
    let stopped = cats.stopped.clone();
    assert_eq!(pathway_io::testing::collect(cats).unwrap().len(), 1);
    assert!(stopped.load(std::sync::atomic::Ordering::Relaxed));
}

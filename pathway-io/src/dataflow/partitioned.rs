//! The tables of partitioned sources with several processes: [`PartitionedTable`].
//!
//! Each process commits its own partitions, at times from its own clock. The dataflow combines them into one table.
//! This module knows only the columns of a row type, so rows travel as JSON, which every column can write and read. If
//! the table has a key, each push goes to the worker that keeps the state of the key. That worker turns pushes into
//! updates, one time after the other. If several pushes of a key have the same time, the last push of the partition
//! with the highest index wins.
//!
//! Each row carries the place of its push. With a key, it carries the place of the key's first push. A sink therefore
//! receives the rows of one time in the order of the partitions, and the rows of one partition in push order.
//!
//! Computations read the table like a derived table. A gathering operator serves its sinks.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use crossbeam_channel::Receiver;
use differential_dataflow::{AsCollection, Hashable};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Operator;
use timely::dataflow::operators::vec::Map;

use super::Collection;
use super::building::{Building, identity};
use super::inlet::{Arrival, WorkerFeed, inlet_of};
use super::results::{Gather, Gatherable};
use super::row::Row;
use super::selection::Selection;
use super::table::{DataflowTable, GatheredOutlets};
use crate::pipeline::any_table::{EngineTable, TableRun};
use crate::pipeline::table::TableData;
use crate::rows::batch::Batch;
use crate::rows::column::{Buffer, Style};
use crate::rows::fields::{Columns, Visitor};
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::{Schema, is_key};
use crate::rows::table::Table;
use crate::run::lock::Lock;

/// A hash table with fewer keys than this is not worth shrinking.
const SHRINK_FROM: usize = 4096;

/// A row or a key as JSON.
type Encoded = Vec<u8>;

/// The partition, and the number of the push within the partition.
type PushNumber = (usize, u64);

/// A row with its place, which is its sort key within the commit.
pub(crate) type Placed = (PushNumber, Encoded);

/// A push or a removal: the key, the place, and the row if it is a push.
type KeyedPush = (Encoded, PushNumber, Option<Encoded>);

/// The type-erased table of a partitioned source.
pub(super) trait AnyPartitioned: Send + Sync {
    /// Builds the table on one worker.
    fn build(&self, building: &mut Building<'_>);
    /// Drops the inputs that no worker has taken, after a failed run.
    fn abandon(&self);
}

struct PartitionedTable<S: Schema> {
    name: Arc<str>,
    identity: usize,
    /// The number of this process's first partition.
    first_partition: usize,
    /// The queues of the workers of this process.
    queues: Lock<Vec<Option<Receiver<Arrival<S>>>>>,
    outlets: GatheredOutlets<S>,
}

impl<S: Schema> EngineTable for Table<S> {
    fn partition(&self, run: &TableRun<'_>) -> Box<dyn Any> {
        let extensions = self.extensions();
        extensions.get::<DataflowTable>().set_from_dataflow();
        let (feed, queues) = WorkerFeed::<S>::new(run.workers.len());
        let rows = extensions.get::<TableData<S>>();
        rows.leave_pushes();
        rows.add_feed(Box::new(feed));
        let outlets = GatheredOutlets::default();
        // A pipeline with several processes is never persistent, so no sink takes part in a checkpoint.
        outlets.start(extensions, run, &mut Vec::new());
        let table: Arc<dyn AnyPartitioned> = Arc::new(PartitionedTable {
            name: Arc::from(S::SCHEMA.name),
            identity: identity(&Arc::downgrade(extensions)),
            first_partition: run.workers.start,
            queues: Lock::new(queues.into_iter().map(Some).collect()),
            outlets,
        });
        Box::new(table)
    }
}

impl<S: Schema> AnyPartitioned for PartitionedTable<S> {
    fn build(&self, building: &mut Building<'_>) {
        let queue = self.queues.lock()[building.worker].take();
        let (scope, flow) = (building.scope, Arc::clone(&building.flow));
        let writer = RowWriter::new::<S>();
        let partition = self.first_partition + building.worker;
        let mut pushes = 0;
        let mut place = move || {
            pushes += 1;
            (partition, pushes)
        };
        let rows = if S::SCHEMA.is_upserted() {
            let take = move |batch: &Batch<S>, time: u64, pushes: &mut Vec<(KeyedPush, u64, isize)>| {
                pushes.extend((0..batch.len()).map(|row| {
                    let pushed = (batch.diff(row) > 0).then(|| encoded(&writer, batch, row));
                    ((encoded_key(batch, row), place(), pushed), time, 1)
                }));
            };
            upserted(&self.name, inlet_of(scope, &self.name, queue, flow, &mut building.inlets, take))
        } else {
            let take = move |batch: &Batch<S>, time: u64, rows: &mut Vec<(Placed, u64, isize)>| {
                rows.extend((0..batch.len()).map(|row| {
                    let diff = batch.diff(row) as isize;
                    ((place(), encoded(&writer, batch, row)), time, diff)
                }));
            };
            inlet_of(scope, &self.name, queue, flow, &mut building.inlets, take)
        };
        self.outlets.gather(building, (&*self.name, self.identity), rows.as_collection(), Gather::Here, true);
    }

    fn abandon(&self) {
        self.outlets.abandon();
    }
}

/// Turns pushes and removals into updates, each at the worker that keeps the state of its key.
fn upserted<'scope>(
    name: &str,
    pushes: Stream<'scope, u64, Vec<(KeyedPush, u64, isize)>>,
) -> Stream<'scope, u64, Vec<(Placed, u64, isize)>> {
    let by_key = Exchange::new(|((key, ..), ..): &(KeyedPush, u64, isize)| key.hashed());
    pushes.unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(by_key, name, |capability, _| {
        let mut capability = Some(capability);
        let mut waiting: BTreeMap<u64, Vec<KeyedPush>> = BTreeMap::new();
        let mut rows: HashMap<Encoded, Encoded, foldhash::fast::RandomState> = HashMap::default();
        let mut peak = 0;
        move |(input, frontier), output| {
            input.for_each(|_, pushes| {
                for (push, time, _) in pushes.drain(..) {
                    waiting.entry(time).or_default().push(push);
                }
            });
            let Some(held) = &mut capability else { return };
            let frontier = frontier.frontier().first().copied();
            while let Some(entry) = waiting.first_entry()
                && frontier.is_none_or(|frontier| *entry.key() < frontier)
            {
                let (time, mut pushes) = entry.remove_entry();
                held.downgrade(&time);
                let mut session = output.session(&*held);
                pushes.sort_unstable();
                let mut pushes = pushes.into_iter().peekable();
                while let Some((key, place, mut pushed)) = pushes.next() {
                    while let Some((.., later)) = pushes.next_if(|(next, ..)| *next == key) {
                        pushed = later;
                    }
                    let old = match &pushed {
                        Some(new) if rows.get(&key) == Some(new) => continue,
                        Some(new) => rows.insert(key, new.clone()),
                        None => rows.remove(&key),
                    };
                    old.into_iter().for_each(|old| session.give(((place, old), time, -1)));
                    pushed.into_iter().for_each(|new| session.give(((place, new), time, 1)));
                }
                shrink(&mut rows, &mut peak);
            }
            match frontier {
                Some(frontier) => held.downgrade(&frontier),
                None => capability = None,
            }
        }
    })
}

/// Frees memory if most keys were removed. `peak` is the largest number of keys since the last such call. The capacity
/// does not show it, because a removed key can leave a mark in its place.
fn shrink<K: Eq + Hash, V, H: BuildHasher>(rows: &mut HashMap<K, V, H>, peak: &mut usize) {
    *peak = rows.len().max(*peak);
    if *peak >= SHRINK_FROM && rows.len() < *peak / 4 {
        *peak = rows.len();
        rows.shrink_to(2 * rows.len());
    }
}

fn encoded<S: Schema>(writer: &RowWriter, batch: &Batch<S>, row: usize) -> Encoded {
    let mut json = Vec::new();
    writer.write_row(&batch.columns, row, &mut json);
    json
}

/// Encodes the key of a row. Different keys have different encodings.
fn encoded_key<S: Schema>(batch: &Batch<S>, row: usize) -> Encoded {
    let mut key = Vec::new();
    batch.columns.visit(0, &mut KeyEncoder { row, is_key: is_key::<S>, key: &mut key });
    key
}

struct KeyEncoder<'a> {
    row: usize,
    is_key: fn(usize) -> bool,
    key: &'a mut Encoded,
}

impl Visitor for KeyEncoder<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if (self.is_key)(index) {
            buffer.write_json(self.row, Style::Exact, self.key);
            self.key.push(b',');
        }
    }
}

/// Appends a row to a batch.
fn decode<S: Schema>(json: &[u8], diff: i64, batch: &mut Batch<S>) {
    if let Err(error) = batch.push_encoded(json, diff) {
        panic!("cannot read a row of `{}` from the JSON that its columns wrote: {error}", S::SCHEMA.name);
    }
}

impl<S: Schema> Gatherable<S> for Placed {
    fn give_to(self, diff: i64, batch: &mut Batch<S>) {
        let (_place, json) = self;
        decode(&json, diff, batch);
    }
}

/// Decodes the rows of a partitioned table for a computation.
pub(crate) fn decoded<'scope, S: Row, P: Selection<S>>(
    rows: Stream<'scope, u64, Vec<(Placed, u64, isize)>>,
    selection: P,
) -> Collection<'scope, P::Row> {
    let mut batch = Batch::<S>::default();
    let decoded = rows.map(move |((_place, json), time, diff)| {
        decode(&json, 1, &mut batch);
        let row = selection.reader(&batch.columns)(0);
        batch.clear();
        (row, time, diff)
    });
    decoded.as_collection()
}

#[cfg(test)]
mod tests {
    use timely::dataflow::operators::core::capture::{Capture, Extract};
    use timely::dataflow::operators::vec::ToStream;

    use super::*;

    fn push(key: &str, part: usize, place: u64, row: Option<&str>, time: u64) -> (KeyedPush, u64, isize) {
        ((key.into(), (part, place), row.map(Into::into)), time, 1)
    }

    #[test]
    fn memory_shrinks_after_a_mass_removal() {
        let mut rows: HashMap<u64, ()> = (0..100_000).map(|key| (key, ())).collect();
        let mut peak = 0;
        shrink(&mut rows, &mut peak);
        rows.retain(|key, ()| key % 2 == 0);
        shrink(&mut rows, &mut peak);
        assert_eq!(peak, 100_000, "a half is left");
        rows.retain(|key, ()| key % 100 == 0);
        shrink(&mut rows, &mut peak);
        assert_eq!((rows.len(), peak), (1000, 1000));
        assert!(rows.capacity() < 5000, "it has memory for {} keys", rows.capacity());
    }

    #[test]
    fn the_last_push_of_the_highest_partition_wins_at_one_time() {
        let pushes = vec![
            push("b", 0, 9, Some("b of 0"), 1),
            push("a", 1, 1, Some("a of 1"), 1),
            push("a", 0, 7, Some("a of 0"), 1),
            push("b", 0, 8, Some("b before"), 1),
            push("a", 0, 1, None, 2),
            push("a", 0, 2, Some("a again"), 2),
            push("b", 1, 1, Some("b of 0"), 2),
            push("b", 0, 10, None, 3),
            push("c", 0, 11, None, 3),
        ];
        let captured = timely::example(|scope| upserted("table", pushes.to_stream(scope)).capture());
        let mut updates: Vec<(u64, PushNumber, isize, String)> = captured
            .extract()
            .into_iter()
            .flat_map(|(_, updates)| updates)
            .map(|((place, row), time, diff)| (time, place, diff, String::from_utf8(row).unwrap()))
            .collect();
        updates.sort_unstable();
        // Each update has the place of its key's first push.
        let expected = [
            (1, (0, 7), 1, "a of 1"),
            (1, (0, 8), 1, "b of 0"),
            (2, (0, 1), -1, "a of 1"),
            (2, (0, 1), 1, "a again"),
            (3, (0, 10), -1, "b of 0"),
        ];
        assert_eq!(updates, expected.map(|(time, place, diff, row)| (time, place, diff, row.to_owned())));
    }
}

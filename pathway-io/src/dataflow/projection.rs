//! Some columns of a table as the input of a computation: [`Projection`].
//!
//! A row of the projection is made straight from the buffers of its columns, so that the other columns cost nothing.
//! The rows of a derived table, and rows from another process, are already structs with all columns; the columns are
//! selected from these.

use std::fmt;
use std::marker::PhantomData;

use differential_dataflow::AsCollection;
use timely::dataflow::Stream;
use timely::dataflow::operators::vec::Map;

use super::Collection;
use super::computation::compute;
use super::equal_rows::EqualRows;
use super::ports::{Port, Tables};
use super::row::{Input, ResultRow, Row};
use super::selection::Selection;
use crate::rows::column::view::ColumnView;
use crate::rows::fields::{Columns, Fields};
use crate::rows::schema::{ColumnsOf, Schema};
use crate::rows::table::Table;
use crate::schema::assert_matches;

/// Some columns of a table, as rows of the smaller schema `P`: see [`Table::columns`].
pub struct Projection<S, P> {
    table: Table<S>,
    rows: PhantomData<fn() -> P>,
}

impl<S, P> Clone for Projection<S, P> {
    fn clone(&self) -> Self {
        Projection { table: self.table.clone(), rows: PhantomData }
    }
}

impl<S: Schema, P: Schema> fmt::Debug for Projection<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection").field("table", &self.table).field("columns", &P::SCHEMA.name).finish()
    }
}

impl<S: Schema> Table<S> {
    /// Selects the columns that a computation reads, as the columns of the schema `P`.
    ///
    /// A computation makes a struct for each row. With a projection it makes smaller ones: the values of the other
    /// columns are not copied. Pass the projection wherever a computation takes a table.
    ///
    /// The columns of `P` are found by their names. A column must have the type of the table's column, or a type that
    /// holds all its values, by the rules of [`assert_matches`](crate::schema::assert_matches). The key, the defaults
    /// and the aliases of `P` do not matter. Values of a different Rust type are converted through their JSON. A value
    /// that the type of `P` does not have, such as an unknown variant, ends the run with an error.
    ///
    /// The compiler checks the columns when it builds the program. `cargo check` does not, unless you write
    /// `const _: () = assert_matches::<Cat, Genus>();` beside the struct.
    ///
    /// Rows of a commit that are equal in these columns can reach the closure as one row, with the sum of their diffs.
    /// Rows whose diffs add up to zero, as after an update of another column, need not reach it at all.
    ///
    /// ```
    /// # use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};
    /// # #[derive(Schema)] #[schema(dataflow)] struct Cat { #[schema(primary_key)] key: i64, genus: String, epithet: String }
    /// # #[derive(Schema)] #[schema(dataflow)] struct GenusCount { #[schema(primary_key)] genus: String, n: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>) -> RunResult {
    /// #     Ok(cats.next(Cat { key: 1, genus: "felis".into(), epithet: "catus".into() })?)
    /// # } }
    /// #[derive(Schema)]
    /// #[schema(dataflow)]
    /// struct Genus {
    ///     genus: String,
    /// }
    ///
    /// let pipeline = Pipeline::new();
    /// let cats = pipeline.read(Cats);
    /// let counts = cats
    ///     .columns::<Genus>()
    ///     .compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    /// counts.subscribe(|update| println!("{:+} {} {}", update.diff, update.row.genus, update.row.n)); // +1 felis 1
    /// pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// A column that the table does not have causes a compile error:
    ///
    /// ```compile_fail
    /// # use pathway_io::{Schema, Table};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # #[derive(Schema)] #[schema(dataflow)] struct Genus { genus: String }
    /// fn genera(cats: &Table<Cat>) {
    ///     cats.columns::<Genus>(); // `Cat` does not match `Genus`: it has no column `genus`
    /// }
    /// # fn main() { let _ = genera as fn(&Table<Cat>); }
    /// ```
    #[must_use]
    pub fn columns<P: Schema>(&self) -> Projection<S, P> {
        const { assert_matches::<S, P>() };
        Projection { table: self.clone(), rows: PhantomData }
    }
}

impl<S, P> Projection<S, P> {
    /// Computes a table from this one, as [`Table::compute`] does.
    ///
    /// # Panics
    ///
    /// Panics if the pipeline of the table has been started or dropped.
    pub fn compute<Out, F>(&self, computation: F) -> Table<Out>
    where
        S: Row,
        P: Input<Out>,
        Out: ResultRow,
        F: for<'scope> Fn(Collection<'scope, P::Row>) -> Collection<'scope, Out> + Send + Sync + 'static,
    {
        compute(self, move |_scope, rows| computation(P::rows(rows)))
    }
}

impl<S: Row, P: Row> Tables for &Projection<S, P> {
    type Ports = Port<S, Selected<P>>;

    fn ports(self) -> Self::Ports {
        let position = |name| S::SCHEMA.columns.iter().position(|column| column.name == name);
        let columns = P::SCHEMA.columns.iter().map(|column| position(column.name).expect("`columns` has checked it"));
        Port::new(
            &self.table,
            Selected { columns: columns.collect(), equal_rows: EqualRows::default(), rows: PhantomData },
        )
    }
}

/// The columns of `P`, by their numbers in the table.
#[doc(hidden)]
pub struct Selected<P> {
    columns: Box<[usize]>,
    equal_rows: EqualRows,
    rows: PhantomData<fn() -> P>,
}

impl<P> Clone for Selected<P> {
    fn clone(&self) -> Self {
        Selected { columns: self.columns.clone(), equal_rows: EqualRows::default(), rows: PhantomData }
    }
}

impl<P: Row> Selected<P> {
    fn views<'a, S: Row>(&self, columns: &'a ColumnsOf<S>) -> Vec<ColumnView<'a>> {
        let view = |&index: &usize| ColumnView {
            name: S::SCHEMA.columns[index].name,
            schema: S::SCHEMA.name,
            reader: P::SCHEMA.name,
            buffer: columns.buffer(index),
        };
        self.columns.iter().map(view).collect()
    }
}

impl<S: Row, P: Row> Selection<S> for Selected<P> {
    type Row = P;

    fn reader(&self, columns: &ColumnsOf<S>) -> impl Fn(usize) -> P {
        let views = self.views::<S>(columns);
        move |row| P::from_fields(P::Fields::get_from(&views, row))
    }

    fn read(
        &mut self,
        columns: &ColumnsOf<S>,
        diffs: impl ExactSizeIterator<Item = i64>,
    ) -> impl Iterator<Item = (P, i64)> {
        let views = self.views::<S>(columns);
        let different = self.equal_rows.of(&views, diffs);
        different.iter().map(move |&(row, diff)| (P::from_fields(P::Fields::get_from(&views, row)), diff))
    }

    fn convert<'scope>(&self, rows: Stream<'scope, u64, Vec<(S, u64, isize)>>) -> Collection<'scope, P> {
        let (selected, mut columns) = (self.clone(), ColumnsOf::<S>::default());
        let select = move |(row, time, diff): (S, u64, isize)| {
            S::Fields::push(&mut columns, row.into_fields());
            let row = Selection::<S>::reader(&selected, &columns)(0);
            columns.truncate(0);
            (row, time, diff)
        };
        rows.map(select).as_collection()
    }
}

//! The generated code allows the lints that the item allows or expects.

#![deny(deprecated, warnings)]

use pathway_io::{ColumnType, RunResult, Schema, Subject, connector};

#[deprecated]
#[derive(ColumnType)]
pub enum Mood {
    Calm,
    Angry,
}

#[derive(Schema)]
#[allow(deprecated)]
pub struct Cat {
    pub mood: Mood,
    #[schema(default = Mood::Calm)]
    pub before: Mood,
}

#[derive(Schema)]
#[expect(deprecated, reason = "until the next release")]
pub struct Lynx {
    pub mood: Mood,
}

#[derive(Schema)]
pub struct Dog {
    #[allow(deprecated,)]
    pub mood: Mood,
    #[expect(deprecated)]
    #[schema(default = Mood::Calm)]
    pub before: Mood,
}

#[derive(ColumnType)]
#[allow(deprecated)]
pub struct Temper(pub Mood);

#[derive(Schema)]
#[allow(non_camel_case_types)]
pub struct Reading<t_value: ColumnType> {
    pub value: t_value,
}

#[derive(Schema)]
#[expect(non_upper_case_globals)]
pub struct Window<const size: usize> {
    pub values: [f64; size],
}

#[derive(Schema)]
#[deprecated]
pub struct Old {
    pub key: i64,
}

#[deprecated]
pub struct Olds;

#[connector]
#[allow(deprecated)]
impl Olds {
    pub fn run(&mut self, olds: Subject<Old>) -> RunResult {
        Ok(olds.next(Old { key: 1 })?)
    }
}

pub struct Pairs;

#[connector]
impl Pairs {
    #[expect(deprecated)]
    pub fn run(&mut self, olds: Subject<Old>, more: Subject<Old>) -> RunResult {
        olds.next(Old { key: 1 })?;
        Ok(more.next(Old { key: 2 })?)
    }
}

#[allow(non_upper_case_globals)]
pub struct Windows<const size: usize>;

#[allow(non_upper_case_globals)]
#[connector]
impl<const size: usize> Windows<size> {
    pub fn run(&mut self, windows: Subject<Window<size>>) -> RunResult {
        Ok(windows.next(Window { values: [0.0; size] })?)
    }
}

fn main() {
    pathway_io::Pipeline::new().read(Pairs);
}

//! Eight sensors push into one table, each from its own thread. The terminal shows the latest reading of each.
//!
//! ```text
//! cargo run --example sensors
//! cargo run --example sensors -- --seconds 10 readings.csv
//! ```
//!
//! The threads push through clones of one subject. The name of the sensor is the primary key, so each reading replaces
//! the previous one: the old row is retracted and the new row is added, at one time. The program builds its table from
//! these updates alone. It redraws the table after each commit, at most ten times a second, and clips it to the window.
//! If standard output is not a terminal, the program prints the table once a second, and at the end.
//!
//! The program runs until Ctrl-C. With `--seconds N` it ends after `N` seconds, and with `--readings N` after `N`
//! readings of each sensor. It also ends if its output is closed, as by `cargo run --example sensors | head -2`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use console::{Term, truncate_str};
use pathway_io::{Closed, Pipeline, Schema, Subject, Update, connector, csv};

const USAGE: &str = "usage: sensors [--seconds N] [--readings N] [OUTPUT.csv]";
const SENSORS: [&str; 8] = ["attic", "bath", "cellar", "garage", "garden", "hall", "kitchen", "study"];

/// The number of lines below the table: the head of the progress, one source, two sinks, and the line of the cursor.
const BELOW: usize = 5;
/// The time between two tables if standard output is not a terminal.
const PERIOD: Duration = Duration::from_secs(1);

/// The latest reading of a sensor.
#[derive(Schema, Clone)]
struct Reading {
    #[schema(primary_key)]
    sensor: String,
    /// The temperature in degrees Celsius.
    celsius: f64,
    /// The number of readings so far.
    readings: u64,
}

#[derive(Clone, Copy)]
struct Sensors {
    seconds: Option<u64>,
    readings: Option<u64>,
}

#[connector(autocommit = "100ms")]
impl Sensors {
    fn run(&mut self, table: Subject<Reading>) -> Result<(), Closed> {
        let deadline = self.seconds.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        thread::scope(|scope| {
            let limit = self.readings.unwrap_or(u64::MAX);
            let threads = SENSORS.map(|name| {
                let table = table.clone();
                scope.spawn(move || read_sensor(name, limit, deadline, &table))
            });
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                // A panic of a sensor's thread becomes a panic of `run`, which the pipeline reports.
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }
}

/// Simulates the driver of a sensor: about every 20 ms, a temperature near 20 degrees.
fn read_sensor(name: &str, limit: u64, deadline: Option<Instant>, table: &Subject<Reading>) -> Result<(), Closed> {
    let mut noise = Noise(name.bytes().fold(1, |seed, byte| seed * 31 + u64::from(byte)));
    let mut celsius = 20.0;
    for readings in 1..=limit {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
        celsius += (20.0 - celsius) * 0.01 + (noise.next() - 0.5) * 0.4;
        let rounded = (celsius * 10.0_f64).round() / 10.0;
        table.next(Reading { sensor: name.to_owned(), celsius: rounded, readings })?;
        table.sleep(Duration::from_secs_f64(0.01 + 0.02 * noise.next()))?;
    }
    Ok(())
}

/// A generator of pseudorandom numbers from 0 to 1 (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The table, built from its updates.
#[derive(Default)]
struct Board {
    rows: BTreeMap<String, Reading>,
    /// The number of lines in the last drawing.
    drawn: usize,
}

impl Board {
    fn apply(&mut self, update: &Update<Reading>) {
        if update.is_addition() {
            self.rows.insert(update.row.sensor.clone(), update.row.clone());
        } else {
            self.rows.remove(&update.row.sensor);
        }
    }

    /// Returns the head, and a line for each sensor.
    fn lines(&self) -> Vec<String> {
        let head = format!("{:<10}{:>8}{:>10}", "sensor", "°C", "readings");
        let lines = SENSORS.iter().map(|&name| match self.rows.get(name) {
            Some(Reading { celsius, readings, .. }) => {
                let bar = "█".repeat((celsius - 10.0).clamp(0.0, 20.0) as usize);
                format!("{name:<10}{celsius:>8.1}{readings:>10}  {bar}")
            }
            None => format!("{name:<10}{:>8}{:>10}", "-", 0),
        });
        std::iter::once(head).chain(lines).collect()
    }

    fn print(&self) -> io::Result<()> {
        write_at_once(&(self.lines().join("\n") + "\n"))
    }

    /// Draws the table over the last drawing. A table that is larger than the window is clipped, because it would
    /// scroll.
    fn draw(&mut self) -> io::Result<()> {
        let (rows, columns) = Term::stdout().size();
        let mut lines = self.lines();
        lines.truncate(usize::from(rows).saturating_sub(BELOW));
        let mut text = String::new();
        if self.drawn > 0 {
            // Moves the cursor to the first line of the last drawing, and to the left: the terminal may have echoed
            // `^C`.
            let _ = write!(text, "\r\x1b[{}A", self.drawn);
        }
        if lines.len() != self.drawn {
            // The height of the window has changed, so the lines have moved.
            text.push_str("\x1b[J");
        }
        for line in &lines {
            let _ = writeln!(text, "{}\x1b[K", truncate_str(line, usize::from(columns).saturating_sub(1), ""));
        }
        self.drawn = lines.len();
        write_at_once(&text)
    }
}

/// Writes to standard output in one call, so that other output does not come in between.
fn write_at_once(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Ignores the error of a closed output: `head` closes it after some lines.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

fn main() -> pathway_io::Result<()> {
    let (sensors, output) = parse_args()?;
    let live = io::stdout().is_terminal();
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let readings = pipeline.read(sensors);
    let board = Arc::new(Mutex::new(Board::default()));
    let drawn = Arc::clone(&board);
    let stop = pipeline.stop_handle();
    let mut printed = Instant::now();
    readings.subscribe(move |update| {
        let mut board = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        board.apply(update);
        // A new reading is two updates: the old row is retracted, then the new row is added. Only then is the table
        // complete.
        if !update.is_addition() {
            return;
        }
        if live {
            // A closed terminal does not stop the program, because the readings are also written to the file.
            let _ = board.draw();
        } else if printed.elapsed() >= PERIOD {
            printed = Instant::now();
            if board.print().is_err() {
                // The print at the end reports any error except a closed output.
                stop.stop();
            }
        }
    });
    if let Some(output) = &output {
        csv::write(&readings, output);
    }
    let summary = pipeline.run()?;
    let mut text = summary.to_string() + "\n";
    if let Some(output) = output {
        let _ = writeln!(text, "the updates are in {}", output.display());
    }
    if !live {
        unless_closed(board.lock().unwrap_or_else(PoisonError::into_inner).print())?;
    }
    Ok(unless_closed(write_at_once(&text))?)
}

fn parse_args() -> Result<(Sensors, Option<PathBuf>), Box<dyn std::error::Error + Send + Sync>> {
    let mut sensors = Sensors { seconds: None, readings: None };
    let mut output = None;
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        let limit = match arg.to_str() {
            Some("--seconds") => &mut sensors.seconds,
            Some("--readings") => &mut sensors.readings,
            Some(option) if option.starts_with('-') => return Err(USAGE.into()),
            _ if output.is_some() => return Err(USAGE.into()),
            _ => {
                output = Some(PathBuf::from(arg));
                continue;
            }
        };
        *limit = Some(args.next().as_ref().and_then(|n| n.to_str()?.parse().ok()).ok_or(USAGE)?);
    }
    Ok((sensors, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    pathway_io::connector_tests! { sensors: Sensors { seconds: None, readings: Some(3) }, ends }
}

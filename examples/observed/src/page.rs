//! Renders a snapshot as a page that reloads itself every second.

use pathway_io::monitor::Snapshot;

/// Returns the page as HTML.
pub fn html(snapshot: &Snapshot) -> String {
    let sources = snapshot.sources.iter().map(|source| {
        row(&[
            &source.name,
            &source.state.to_string(),
            &grouped(source.rows),
            &grouped(source.commits),
            &grouped(source.backlog.rows + source.in_flight.rows),
            source.last_error.as_deref().unwrap_or("none"),
        ])
    });
    let sinks = snapshot.sinks.iter().map(|sink| {
        row(&[
            &sink.name,
            &sink.state.to_string(),
            &grouped(sink.updates),
            &grouped(sink.commits),
            &grouped(sink.undelivered),
            &format!("{:.1} s", sink.lag.as_secs_f64()),
            sink.last_error.as_deref().unwrap_or("none"),
        ])
    });
    let clock = snapshot.clock.map_or_else(String::new, |clock| clock.to_string());
    let (sources, sinks): (String, String) = (sources.collect(), sinks.collect());
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"1\"><title>pipeline</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Pipeline</h1>
<table id=\"sources\">
<tr><th>source<th>state<th>rows<th>commits<th>backlog<th>last error</tr>
{sources}</table>
<table id=\"sinks\">
<tr><th>sink<th>state<th>updates<th>commits<th>undelivered<th>lag<th>last error</tr>
{sinks}</table>
<p>{clock} · <a href=\"/metrics\">metrics</a> for Prometheus</p>
</body>
</html>
"
    )
}

const STYLE: &str = "
body { font: 16px system-ui, sans-serif; margin: 2em; color: #222; background: #f5f6f8; max-width: 52em }
h1 { font-size: 1.5em; margin: 0 0 .6em }
table { width: 100%; table-layout: fixed; border-collapse: collapse; background: #fff; margin-bottom: 1.2em; \
box-shadow: 0 1px 3px #0003 }
th { font-size: .8em; font-weight: 600; color: #667; border-bottom: 1px solid #dde }
td, th { padding: .6rem 1rem; text-align: right; overflow-wrap: anywhere }
td { font-variant-numeric: tabular-nums }
td:nth-child(-n+2), th:nth-child(-n+2) { text-align: left }
td:first-child { font-weight: 600 }
p { color: #667; font-size: .9em }";

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}

/// Returns a number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Escapes a text, because a name or an error can contain any characters.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(row(&["<b>&"]), "<tr><td>&lt;b&gt;&amp;</td></tr>\n");
    }

    #[test]
    fn digits_are_in_groups_of_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}

//! A snapshot as a page that loads itself again each second.

use pathway_io::monitor::Snapshot;

/// Returns the page.
pub fn html(snapshot: &Snapshot) -> String {
    let sources = snapshot.sources.iter().map(|source| {
        row(&[
            &source.name,
            &source.state.to_string(),
            &source.rows.to_string(),
            &source.commits.to_string(),
            &(source.backlog.rows + source.in_flight.rows).to_string(),
            source.last_error.as_deref().unwrap_or(""),
        ])
    });
    let sinks = snapshot.sinks.iter().map(|sink| {
        row(&[
            &sink.name,
            &sink.state.to_string(),
            &sink.updates.to_string(),
            &sink.commits.to_string(),
            &sink.undelivered.to_string(),
            &format!("{:.1} s", sink.lag.as_secs_f64()),
        ])
    });
    let (sources, sinks): (String, String) = (sources.collect(), sinks.collect());
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"1\"><title>pipeline</title>
<style>body {{ font: 16px sans-serif; margin: 2em }} td, th {{ padding: .3em 1em; text-align: left }}</style>
</head>
<body>
<h1>Pipeline</h1>
<table id=\"sources\">
<tr><th>source<th>state<th>rows<th>commits<th>backlog<th>last error</tr>
{sources}</table>
<table id=\"sinks\">
<tr><th>sink<th>state<th>updates<th>commits<th>undelivered<th>lag</tr>
{sinks}</table>
<p><a href=\"/metrics\">metrics</a></p>
</body>
</html>
"
    )
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}

/// A name or an error can contain anything.
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
}

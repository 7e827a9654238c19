//! Runs the fuzz target on random rows, few of which fit the schemas.

use proptest::prelude::*;

/// A value, which is sometimes not quite JSON.
fn value() -> impl Strategy<Value = String> {
    let digits = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    let text = proptest::collection::vec(
        prop_oneof![
            4 => "[ -~&&[^\"\\\\]]{0,12}",
            2 => "[\u{80}-\u{10ffff}]{1,4}",
            2 => "\\\\u[0-9a-fA-F]{4}",
            1 => "\\\\ud8[0-9a-f]{2}\\\\ud[c-f][0-9a-f]{2}",
            2 => r#"\\[bfnrt/"\\]"#,
        ],
        0..6,
    );
    let text = text.prop_map(|parts| format!("\"{}\"", parts.concat()));
    let odd = proptest::sample::select(vec![
        "null",
        "true",
        "false",
        "truex",
        "01",
        "1.",
        ".5",
        "-",
        "-0",
        "-0.0",
        "1.0",
        "nul",
        "NaN",
        "\"NaN\"",
        "\"AQI=\"",
        "\"a\tb\"",
        "5",
        "7",
        "256",
        "2147483648",
        "-9223372036854775808",
        "16777217",
        "7.038531e-26",
    ]);
    let leaf = prop_oneof![4 => digits, 2 => "[0-9]{1,3}", 4 => text, 3 => odd.prop_map(str::to_owned)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" ,"))),
            proptest::collection::vec(("[a-c]{0,2}", inner), 0..4).prop_map(|fields| {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// A row of any of the schemas, with missing, repeated and unknown fields, in any order.
fn row() -> impl Strategy<Value = String> {
    let plain = vec!["int", "byte", "flag", "text", "float", "single", "maybe", "note"];
    let rich = vec!["key", "family", "list", "pair", "triple", "bytes", "value", "map", "x", "y"];
    let strict = vec!["id", "nap", "time"];
    let names = proptest::sample::select(vec![plain, rich, strict]);
    let fitting = |name: &'static str| -> BoxedStrategy<String> {
        let usual = match name {
            "text" | "note" | "family" => "\"[a-z\u{e9}]{0,40}\"",
            "flag" => "true|false",
            "float" | "single" | "y" => "-?[0-9]\\.[0-9]{1,18}",
            "list" => "\\[1, ?null,-2\\]",
            "pair" => "\\[\"a\", true\\]",
            "triple" => "null|\\[1,2,3\\]",
            "bytes" => "\"AQI=\"",
            "map" => "\\{\"a\": ?[0-9]\\}",
            "int" | "maybe" | "value" => "-?[1-9][0-9]{0,18}",
            _ => "[1-9][0-9]?",
        };
        // Many of these are not numbers in JSON.
        let number = "-?0?[0-9]?\\.?[0-9]{0,2}([eE][+-]?[0-9]?)?";
        prop_oneof![24 => usual, 1 => number, 2 => value()].boxed()
    };
    names.prop_flat_map(move |names| {
        let fields: Vec<_> = names.into_iter().map(|name| (Just(name), fitting(name))).collect();
        let other = proptest::option::weighted(0.2, (prop_oneof!["zz", "di\\\\u0066f", "key"], value()));
        let space = prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t\r "), 1 => Just("\u{a0}")];
        let twist = (0_usize..30, 0_usize..30, 0_usize..40);
        (fields, other, twist, proptest::collection::vec(space, 3)).prop_map(
            |(fields, other, (drop, swap, again), space)| {
                let mut fields: Vec<String> =
                    fields.into_iter().map(|(name, value)| format!("\"{name}\":{}{value}", space[0])).collect();
                fields.extend(other.map(|(name, value)| format!("\"{name}\": {value}")));
                if drop < fields.len() {
                    fields.remove(drop);
                }
                if swap < fields.len() {
                    fields.swap(swap, 0);
                }
                if again < fields.len() {
                    fields.push(fields[again].clone());
                }
                format!("{1}{{{}}}{1}", fields.join(&format!("{},{}", space[1], space[2])), space[2])
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn random_rows_are_decoded_as_by_serde_json(
        rows in proptest::collection::vec(row(), 1..4),
        change in proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), any::<u8>()))
    ) {
        let mut rows = rows.join("\u{1e}").into_bytes();
        if let Some((place, byte)) = change {
            let place = place.index(rows.len());
            rows[place] = byte;
        }
        super::next_json(&rows);
    }
}

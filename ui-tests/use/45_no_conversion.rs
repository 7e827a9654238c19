use pathway_io::{Closed, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    weight: Option<f64>,
    height: f64,
    nick: Option<String>,
    #[schema(default = 4)]
    legs: u8,
}

fn push(cats: Subject<Cat>, nick: Option<&str>) -> Result<(), Closed> {
    next!(cats, Cat { key: "one", genus: "felis", height: 2.5, .. })?;
    next!(cats, Cat { key: 1, genus: 7, height: 2.5, .. })?;
    next!(cats, Cat { key: 1, genus: "felis", height: 2.5, weight: 4, .. })?;
    next!(cats, Cat { key: 1, genus: "felis", height: 4, nick: Some("x"), .. })?;
    next!(cats, Cat { key: 1, genus: "felis", height: 2.5, nick, .. })
}

fn main() {}

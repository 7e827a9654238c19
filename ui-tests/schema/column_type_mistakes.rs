use pathway_io::{ColumnType, Schema};

#[derive(ColumnType)]
enum Shape {
    Point,
    Circle { radius: f64 },
    Line(f64),
}

#[derive(ColumnType)]
struct Place {
    x: f64,
    y: f64,
}

#[derive(ColumnType)]
struct Name {
    name: String,
}

#[derive(ColumnType)]
struct Unit;

#[derive(ColumnType)]
enum Never {}

#[derive(ColumnType)]
struct Wrapper<T>(T);

#[derive(ColumnType)]
struct Key<T>(u64, std::marker::PhantomData<T>);

#[derive(ColumnType)]
struct Nick<'a>(&'a str);

#[derive(ColumnType)]
#[column(rename_al = "lowercase")]
enum Mood {
    Calm,
    #[column(rename = "Calm")]
    Quiet,
    #[column(rename = 1)]
    Angry,
    #[column]
    Sad,
}

#[derive(ColumnType)]
#[column(alias = "coats")]
enum Coat {
    #[column(alias = "Black", rename_all = "lowercase")]
    Grey,
    #[column(other)]
    Black,
    #[column(alias = "Grey", other)]
    Other,
    #[column(alias, other = true)]
    White,
}

#[derive(ColumnType, Clone)]
#[column(rename_all = "lowercase")]
struct Id(u64);

#[derive(ColumnType)]
struct Since(std::time::Instant);

#[derive(ColumnType)]
struct Tree(Vec<Tree>);

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    id: Id,
    shape: Shape,
    place: Place,
    mood: Option<Mood>,
    wrapped: Wrapper<i64>,
    wrapped_twice: Option<Wrapper<String>>,
    tree: Tree,
}

fn main() {}

use pathway_io::Schema;

#[derive(Schema)]
#[schema(deny_unknown_fields, primary_keys = ["key"])]
struct Cat {
    #[schema(description = "Its number.")]
    key: i64,
    #[schema(nullable)]
    genus: String,
    #[schema(default_value = 4)]
    legs: u8,
    #[schema(skip_serializing_if = "Option::is_none")]
    nick: Option<String>,
    #[schema(from = "u32", into = "u32")]
    mood: Mood,
    #[schema(default_value_t = 4, aliases = "feet")]
    paws: u8,
}

struct Mood;

fn main() {}

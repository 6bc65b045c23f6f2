use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("documents")]
#[index("by_text", columns(text))]
struct Document {
    #[key]
    document: i64,
    text: Json<Vec<i64>>,
}

fn main() {}

use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("documents")]
struct Document {
    #[key]
    document: Json<Vec<i64>>,
}

fn main() {}

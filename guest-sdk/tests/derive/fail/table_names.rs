use gnomon_sdk::prelude::*;

#[derive(Table)]
struct Unnamed {
    #[key]
    id: i64,
}

#[derive(Table)]
#[table("Accounts")]
struct Capital {
    #[key]
    id: i64,
    #[column("no blanks")]
    blanks: i64,
    straße: i64,
    #[column("_1234567890123456789012345678901234567890123456789012345678901234")]
    long: i64,
    xmin: i64,
    order: i64,
}

#[derive(Table)]
#[table("twice")]
#[table("thrice")]
#[index("by_a", columns(a))]
#[index("by_a", columns(b))]
struct Twice {
    #[key]
    id: i64,
    a: i64,
    #[column("a")]
    b: i64,
}

fn main() {}

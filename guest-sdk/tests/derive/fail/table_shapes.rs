use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("tuples")]
struct Tuple(#[key] i64);

#[derive(Table)]
#[table("units")]
struct Unit;

#[derive(Table)]
#[table("enums")]
enum Enum {
    A,
}

#[derive(Table)]
#[table("generics")]
struct Generic<T> {
    #[key]
    id: T,
}

fn main() {}

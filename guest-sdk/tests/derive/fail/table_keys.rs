use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("keyless")]
struct Keyless {
    id: i64,
}

#[derive(Table)]
#[table("talkative")]
struct Talkative {
    #[key("id")]
    id: i64,
}

#[derive(Table)]
#[table("many")]
struct Many {
    #[key]
    a: i64,
    #[key]
    b: i64,
    #[key]
    c: i64,
    #[key]
    d: i64,
    #[key]
    e: i64,
    #[key]
    f: i64,
    #[key]
    g: i64,
    #[key]
    h: i64,
    #[key]
    i: i64,
    #[key]
    j: i64,
    #[key]
    k: i64,
    #[key]
    l: i64,
    #[key]
    m: i64,
    #[key]
    n: i64,
    #[key]
    o: i64,
    #[key]
    p: i64,
    #[key]
    q: i64,
}

fn main() {}

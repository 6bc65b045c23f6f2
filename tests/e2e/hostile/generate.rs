//! Query strings: some that are right, most that are nearly right, and some that are anything.

use rand::{RngExt, rngs::StdRng};

/// Tables of the bookshop.
const TABLES: [&str; 8] = ["authors", "genres", "books", "book_genres", "covers", "addresses", "orders", "lines"];
/// Columns of any of them, and what is none.
const COLUMNS: [&str; 24] = [
    "author", "name", "country", "born", "mentor", "genre", "label", "book", "title", "blurb", "isbn", "pages",
    "price", "added", "in_print", "tags", "ratings", "details", "billing", "number", "quantity", "words", "nothing",
    "",
];
const OPERATORS: [&str; 28] = [
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "imatch",
    "in",
    "is",
    "isdistinct",
    "cs",
    "cd",
    "ov",
    "sl",
    "sr",
    "nxr",
    "nxl",
    "adj",
    "fts",
    "plfts",
    "phfts",
    "wfts",
    "fts(german)",
    "eq(any)",
    "like(all)",
];
const VALUES: [&str; 50] = [
    "1",
    "-1",
    "350",
    "0.1",
    "1e400",
    "9223372036854775808",
    "NaN",
    "null",
    "NULL",
    "true",
    "unknown",
    "not_null",
    "bea",
    "*sun*",
    "%",
    "%25",
    "%00",
    "%C3%B6",
    "%FF",
    "%zz",
    "2021-03-02",
    "2021-03-02T09:00:00Z",
    "infinity",
    "now",
    "08:30",
    "11111111-1111-4111-8111-111111111111",
    "{a,b}",
    "{\"a,b\"}",
    "{",
    "{{1},{2}}",
    "{1,2}",
    "(1,2)",
    "(a,\"b,c\")",
    "(",
    ")",
    "()",
    "(1,",
    "[1,2)",
    "{\"lang\":\"en\"}",
    "sundial%26!clock",
    "a%20<->%20b",
    "'",
    "%27%3B--",
    "\\x00ff",
    "\\",
    "$1",
    "(a%2B)%2B$",
    "(?=x)",
    "[[:alpha:",
    "\\1",
];
const CASTS: [&str; 14] = [
    "text",
    "int",
    "int8",
    "numeric",
    "jsonb",
    "date",
    "timestamptz",
    "bytea",
    "text[]",
    "oid",
    "regclass",
    "pg_authid",
    "x\"y",
    "",
];
/// What is put into a query, or takes the place of a part of it.
const PIECES: [&str; 44] = [
    "&",
    "=",
    ".",
    ",",
    "(",
    ")",
    ":",
    "::",
    "!",
    "!inner",
    "!left",
    "...",
    "->",
    "->>",
    "->0",
    "->-1",
    "*",
    "\"",
    "'",
    "%22",
    "%00",
    "%2C",
    "%28",
    "+",
    " ",
    "{",
    "}",
    "$1",
    ";",
    "--",
    "/*",
    "\\",
    "select=",
    "order=",
    "limit=",
    "offset=",
    "or=",
    "not.and=",
    "columns=",
    "on_conflict=",
    "cursor=",
    "é",
    "\u{202e}",
    "%F0%9F%92%A9",
];

/// A path below the read model, with its query.
pub(super) fn request(random: &mut StdRng) -> String {
    let mut generator = Generator { random, depth: 0 };
    let table = generator.one_of(&TABLES);
    let parts: Vec<String> = (0..generator.below(5)).map(|_| generator.parameter()).collect();
    let mut query = parts.join("&");
    if generator.below(3) > 0 {
        for _ in 0..generator.below(4) {
            query = generator.mutated(&query);
        }
    }
    // What follows `#` is not sent.
    format!("{table}?{}", query.replace('#', "%23"))
}

struct Generator<'r> {
    random: &'r mut StdRng,
    depth: usize,
}

impl Generator<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len())]
    }

    fn parameter(&mut self) -> String {
        let path = self.path();
        match self.below(12) {
            0..=3 => format!("select={}", self.selection()),
            4 => format!("{path}order={}", self.order()),
            5 => format!("{path}limit={}", self.number()),
            6 => format!("{path}offset={}", self.number()),
            7 => {
                let (not, and) = (self.one_of(&["", "not."]), self.one_of(&["and", "or"]));
                format!("{path}{not}{and}=({})", self.conditions())
            }
            _ => format!("{path}{}={}", self.field(), self.operation()),
        }
    }

    /// Nothing mostly, or the way to an embedded table.
    fn path(&mut self) -> String {
        match self.below(8) {
            0 => format!("{}.", self.one_of(&TABLES)),
            1 => format!("{}.{}.", self.one_of(&TABLES), self.one_of(&TABLES)),
            _ => String::new(),
        }
    }

    fn number(&mut self) -> &'static str {
        self.one_of(&["0", "1", "3", "10000", "-1", "x", "", "1.5", "9223372036854775807", "99999999999999999999"])
    }

    fn selection(&mut self) -> String {
        self.depth += 1;
        let items = (0..1 + self.below(3)).map(|_| self.item()).collect::<Vec<_>>();
        self.depth -= 1;
        items.join(",")
    }

    fn item(&mut self) -> String {
        let alias = self.one_of(&["", "", "", "x:", "\"a b\":", "page:", "count:", ":"]);
        match self.below(if self.depth < 12 { 9 } else { 4 }) {
            0 => "*".to_owned(),
            1 => format!("{alias}{}::{}", self.field(), self.one_of(&CASTS)),
            2 => {
                let function = self.one_of(&["sum", "avg", "min", "max", "count", "median"]);
                let cast = self.one_of(&["", "::text", "::int"]);
                format!("{alias}{}.{function}(){cast}", self.field())
            }
            3 => format!("{alias}{}", self.one_of(&["count", "count()", "words.snippet()", "words.rank()"])),
            4 | 5 => {
                let spread = self.one_of(&["", "", "..."]);
                let target = if self.below(4) == 0 { self.one_of(&COLUMNS) } else { self.one_of(&TABLES) };
                let hints = ["", "", "", "!inner", "!left", "!billing", "!mentor!inner", "!orders_billing_fkey", "!x"];
                let hint = self.one_of(&hints);
                let inner = if self.below(6) == 0 { String::new() } else { self.selection() };
                format!("{alias}{spread}{target}{hint}({inner})")
            }
            _ => format!("{alias}{}", self.field()),
        }
    }

    fn field(&mut self) -> String {
        let column = self.one_of(&COLUMNS);
        let steps =
            ["", "", "", "", "->lang", "->>lang", "->size->w", "->awards->0", "->>-1", "->\"odd key\"->>\"a.b\"", "->"];
        format!("{column}{}", self.one_of(&steps))
    }

    fn order(&mut self) -> String {
        let field = self.field();
        let term = match self.below(5) {
            0 => format!("{}({field})", self.one_of(&TABLES)),
            _ => field,
        };
        let suffix = self.one_of(&["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst", ".rank.desc", ".up"]);
        format!("{term}{suffix}")
    }

    fn operation(&mut self) -> String {
        let not = self.one_of(&["", "", "", "not.", "not.not."]);
        format!("{not}{}.{}", self.one_of(&OPERATORS), self.one_of(&VALUES))
    }

    fn conditions(&mut self) -> String {
        self.depth += 1;
        let conditions: Vec<String> = (0..1 + self.below(3))
            .map(|_| match self.below(if self.depth < 12 { 5 } else { 4 }) {
                4 => {
                    let (not, and) = (self.one_of(&["", "not."]), self.one_of(&["and", "or"]));
                    format!("{not}{and}({})", self.conditions())
                }
                3 => format!("{}.{}", self.one_of(&TABLES), self.one_of(&["is.null", "not.is.null"])),
                _ => format!("{}.{}", self.field(), self.operation()),
            })
            .collect();
        self.depth -= 1;
        conditions.join(",")
    }

    /// The text with something put in, left out, repeated or turned around.
    fn mutated(&mut self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let (one, other) = (self.below(letters.len() + 1), self.below(letters.len() + 1));
        let (from, to) = (one.min(other), one.max(other));
        let of = |range: &[char]| range.iter().collect::<String>();
        let (before, within, after) = (of(&letters[..from]), of(&letters[from..to]), of(&letters[to..]));
        match self.below(6) {
            0 => format!("{before}{}{within}{after}", self.one_of(&PIECES)),
            1 => format!("{before}{}{after}", self.one_of(&PIECES)),
            2 => format!("{before}{after}"),
            3 => format!("{before}{within}{within}{after}"),
            4 => format!("{before}{}{after}", within.chars().rev().collect::<String>()),
            _ => {
                let many = [2, 30, 300][self.below(3)];
                format!(
                    "{before}{}{after}",
                    self.one_of(&["(", ")", "not.", "->a", "!", "a", "%", "\"", ","]).repeat(many)
                )
            }
        }
    }
}

//! Thousands of hostile query strings to a read model, and as many bodies that say the same, and hostile JSON: whatever it is asked, the host answers
//! or refuses as its description says, and no answer tells how the host is made.
//!
//! `GNOMON_TEST_HOSTILE=<queries>` sends so many, and `GNOMON_TEST_SEED=<seed>` the same again.

mod body;
mod generate;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::Arc,
};

use gnomon::postgres::test_database::TestDatabase;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::{Method, RequestBuilder, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;
use test_support::component;
use uuid::Uuid;

use crate::program::HostProcess;

/// Clients that ask at the same time.
const CLIENTS: u64 = 8;
/// Queries, if the variable names no other number.
const QUERIES: u64 = 10_000;

/// What the host and its SQL are made of: no message may name it, unless the client has said it.
const INTERNALS: [&str; 16] = [
    "gnomon.",
    "read_models.",
    "pg_catalog",
    "pg_temp",
    "json_rows",
    "page_rows",
    "counted",
    "page.",
    "row_to_json",
    "json_agg",
    "LATERAL",
    "sqlx",
    "panicked",
    ".rs:",
    "placeholder",
    "OFFSET 0",
];

/// SQLSTATEs beside those of class 22 (data) that a client can cause.
const OF_CLIENTS: [&str; 8] = ["42703", "42704", "42804", "42846", "42883", "42725", "42803", "54000"];

/// What a route answers, as `/openapi.json` says it: the media types of each status.
type Described = BTreeMap<u16, BTreeSet<String>>;

/// The route that takes a query as a body, of all tables.
const BY_BODY: &str = "/v1/read-models/{projection}/{table}/query";

/// What is asked, to judge the answer by.
struct Asked<'a> {
    described: &'a Described,
    /// The request, for who reads what is wrong.
    shown: String,
    /// All that the client has said.
    said: &'a str,
}

#[derive(Debug)]
struct Answered {
    status: StatusCode,
    text: String,
}

struct Target {
    host: HostProcess,
    described: BTreeMap<String, Described>,
    /// The names of the schemas of builds.
    schemas: Vec<String>,
    _database: TestDatabase,
}

impl Target {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let host = HostProcess::start(&database.url(), folder, &[]).await;
        let imported = host.import(include_str!("../../clients/events.ndjson").to_owned()).await;
        assert_eq!(imported.status, StatusCode::CREATED, "{imported:?}");
        let build = host.deploy("bookshop", component("bookshop"), "").await;
        host.until_state("bookshop", build, "active").await;
        host.rows_at("bookshop/books", host.head().await).await;
        let pool = database.pool().await;
        let schemas: Vec<String> = sqlx::query_scalar(
            "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema', 'gnomon', 'read_models')",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert!(!schemas.is_empty());
        let described = described(&host.json("/openapi.json").await);
        Self { host, described, schemas, _database: database }
    }

    /// Sends a query in a URL, as a body, and sometimes as hostile JSON; says what is wrong with an answer, or else what their statuses are.
    async fn ask(&self, random: &mut StdRng) -> Result<Vec<u16>, String> {
        let query = generate::request(random);
        let (table, parameters) = query.split_once('?').unwrap();
        let mut headers = Vec::new();
        for (name, values) in HEADERS {
            if random.random_range(0..6) == 0 {
                headers.push((name, values[random.random_range(0..values.len())]));
            }
        }
        let path = format!("/v1/read-models/bookshop/{query}");
        let said = format!("{}{headers:?}", percent_encoding::percent_decode_str(&query).decode_utf8_lossy());
        let in_url = Asked {
            described: &self.described[&format!("/v1/read-models/bookshop/{table}")],
            shown: format!("GET {path}\n  {headers:?}"),
            said: &said,
        };
        let got = self.send(in_url, self.host.request(Method::GET, &path), &headers).await?;
        let mut statuses = vec![got.status.as_u16()];
        let path = format!("/v1/read-models/bookshop/{table}/query");
        let post = async |body: Vec<u8>| {
            let text = String::from_utf8_lossy(&body).into_owned();
            let shown = format!("POST {path}\n  {headers:?}\n  {}", text.chars().take(2_000).collect::<String>());
            let said = format!("{said}{text}");
            let request = self.host.request(Method::POST, &path).header(CONTENT_TYPE, "application/json").body(body);
            self.send(Asked { described: &self.described[BY_BODY], shown, said: &said }, request, &headers).await
        };
        let body = body::of_query(parameters);
        if let Some(body) = &body {
            let posted = post(body.to_string().into_bytes()).await?;
            statuses.push(posted.status.as_u16());
            // These are for a GET only.
            let is_same = headers.iter().all(|(name, _)| !matches!(*name, "range" | "if-none-match"));
            if is_same && got.status.is_success() && (posted.status, &posted.text) != (got.status, &got.text) {
                return Err(format!(
                    "GET {query} and the same as a body are answered differently: {got:?} and {posted:?}"
                ));
            }
        }
        if random.random_range(0..2) == 0 {
            let hostile = body::hostile(random, &body.unwrap_or_else(|| serde_json::json!({"select": "*"})));
            statuses.push(post(hostile).await?.status.as_u16());
        }
        Ok(statuses)
    }

    async fn send(
        &self,
        asked: Asked<'_>,
        request: RequestBuilder,
        headers: &[(&str, &str)],
    ) -> Result<Answered, String> {
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.map_err(|error| format!("{}: no answer: {error:?}", asked.shown))?;
        let status = answer.status();
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|text| text.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().to_owned();
        let text = answer.text().await.map_err(|error| format!("{}: {error:?}", asked.shown))?;
        let shown = text.chars().take(600).collect::<String>();
        self.check(&asked, status, &media_type, &text)
            .map_err(|problem| format!("{problem}\n  {}\n  {status} {media_type} {shown}", asked.shown))?;
        Ok(Answered { status, text })
    }

    fn check(&self, asked: &Asked<'_>, status: StatusCode, media_type: &str, text: &str) -> Result<(), String> {
        let Some(media_types) = asked.described.get(&status.as_u16()) else {
            return Err("its description does not have this status".to_owned());
        };
        if !text.is_empty() && !media_types.contains(media_type) {
            return Err(format!("its description does not have this media type: {media_types:?}"));
        }
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(());
        }
        let problem: Value = serde_json::from_str(text).map_err(|_| "an error that is not JSON".to_owned())?;
        let (Some(code), Some(message)) = (problem["code"].as_str(), problem["message"].as_str()) else {
            return Err("an error without a code or a message".to_owned());
        };
        if status.is_server_error() {
            return Err("an error of the server".to_owned());
        }
        let by_client = code.starts_with("PGRST")
            || code.starts_with("22")
            || OF_CLIENTS.contains(&code)
            || (code == "42601" && OF_WORDS.iter().any(|of_words| message.contains(of_words)))
            || code.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !by_client {
            return Err("an SQLSTATE that no client should be able to cause".to_owned());
        }
        // What the client has said itself may be repeated.
        let internal = INTERNALS.iter().copied().chain(self.schemas.iter().map(String::as_str));
        match internal.into_iter().find(|word| text.contains(word) && !asked.said.contains(word)) {
            Some(word) => Err(format!("the answer says `{word}`")),
            None => Ok(()),
        }
    }
}

/// What Postgres says of words to search for that it cannot read; the second where they end in a backslash.
const OF_WORDS: [&str; 2] = ["tsquery", "there is no escaped character"];

/// Headers that change what is answered.
const HEADERS: [(&str, &[&str]); 5] = [
    (
        "accept",
        &[
            "text/csv",
            "application/vnd.pgrst.object+json",
            "application/vnd.pgrst.array+json;nulls=stripped",
            "application/vnd.pgrst.plan+json; options=analyze",
            "application/geo+json",
            "*/*;q=0.1",
            "nonsense",
        ],
    ),
    ("prefer", &["count=exact", "count=planned", "count=estimated", "handling=strict, x=y", "timezone=Nowhere/Land"]),
    ("range", &["0-1", "5-", "9-0", "x", "0-99999999999999999999"]),
    ("accept-profile", &["bookshop", "public", "pg_catalog"]),
    ("if-none-match", &["*", "\"x\"", "nonsense"]),
];

fn described(document: &Value) -> BTreeMap<String, Described> {
    let paths = document["paths"].as_object().unwrap();
    let tables = paths.iter().filter(|(path, _)| path.starts_with("/v1/read-models/bookshop/") || *path == BY_BODY);
    let described: BTreeMap<String, Described> = tables
        .map(|(path, operations)| {
            let responses =
                operations[if path == BY_BODY { "post" } else { "get" }]["responses"].as_object().unwrap().iter();
            let response = |(status, response): (&String, &Value)| {
                // What the tables share stands in one place.
                let shared = response["$ref"].as_str().and_then(|shared| document.pointer(shared.strip_prefix('#')?));
                let media_types = shared.unwrap_or(response)["content"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.split(';').next().unwrap_or_default().to_owned());
                Some((status.parse().ok()?, media_types.collect()))
            };
            (path.clone(), responses.filter_map(response).collect())
        })
        .collect();
    assert_eq!(described.len(), 9, "{described:?}");
    described
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_the_host_answers_as_it_says() {
    let seed = number("GNOMON_TEST_SEED").unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 >> 1);
    let queries = number("GNOMON_TEST_HOSTILE").unwrap_or(QUERIES);
    println!("GNOMON_TEST_SEED={seed}");
    let target = Arc::new(Target::start().await);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let target = Arc::clone(&target);
            tokio::spawn(async move {
                let (mut statuses, mut problems) = (BTreeMap::<u16, u64>::new(), Vec::new());
                for number in (client..queries).step_by(CLIENTS as usize) {
                    // A seed of its own for each query: one of them can be sent alone.
                    let mut random = StdRng::seed_from_u64(seed.wrapping_add(number));
                    match target.ask(&mut random).await {
                        Ok(all) => all.into_iter().for_each(|status| *statuses.entry(status).or_default() += 1),
                        Err(problem) => problems.push(format!("query {number}: {problem}")),
                    }
                }
                (statuses, problems)
            })
        })
        .collect();
    let (mut statuses, mut problems) = (BTreeMap::<u16, u64>::new(), Vec::new());
    for client in clients {
        let (some, wrong) = client.await.unwrap();
        some.into_iter().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
        problems.extend(wrong);
    }
    println!("{queries} queries: {statuses:?}");
    let shown = problems.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "seed {seed}: {} of {queries} answers are wrong:\n{shown}", problems.len());
    // The queries are such that many are answered, and many are refused.
    if queries >= 1_000 {
        let answered: u64 = statuses.range(200..300).map(|(_, count)| count).sum();
        let all: u64 = statuses.values().sum();
        assert!(answered > all / 50 && answered < all * 19 / 20, "{statuses:?}");
    }
}

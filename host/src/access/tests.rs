//! Tokens in a real Postgres.

use std::time::Duration;

use sqlx::PgPool;

use super::*;
use crate::postgres::{migrate, test_database::TestDatabase};

struct Test {
    access: Access,
    pool: PgPool,
    _database: TestDatabase,
}

impl Test {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let settings = AccessSettings { authentication: Authentication::Tokens, ..AccessSettings::default() };
        Self { access: Access::start(pool.clone(), settings).unwrap(), pool, _database: database }
    }

    async fn create(&self, name: &str, lifetime: Option<Duration>) -> Result<Secret, TokenError> {
        let grants = Grants::parse(["append=account", "read:models"]).unwrap();
        let new = NewToken { name: self::name(name), grants, lifetime, created_by: "the test".to_owned() };
        self.access.tokens().create(&new).await.map(|(_, secret)| secret)
    }

    /// A host of its own, which has nothing in memory.
    fn another_host(&self) -> Access {
        Access::start(self.pool.clone(), self.access.settings().clone()).unwrap()
    }
}

fn name(name: &str) -> TokenName {
    TokenName::new(name.to_owned()).unwrap()
}

fn refusal(found: Result<Caller, AuthenticateError>) -> Refusal {
    match found {
        Err(AuthenticateError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_known_to_each_host_with_what_it_may_do_and_only_its_hash_is_kept() {
    let test = Test::start().await;
    let secret = test.create("app", None).await.unwrap();
    for access in [&test.access, &test.another_host()] {
        let caller = access.authenticate(secret.reveal(), None).await.unwrap();
        assert_eq!(*caller.who(), Who::Token(name("app")));
        assert!(caller.may(&[Scope::Append], Of::Name("account")) && !caller.may(&[Scope::Append], Of::Name("order")));
        assert!(caller.may(&[Scope::ReadModels], Of::Host) && !caller.may(&[Scope::Operate], Of::Some));
    }
    let row: String = sqlx::query_scalar("SELECT tokens::text FROM gnomon.tokens").fetch_one(&test.pool).await.unwrap();
    assert!(row.contains("app") && !row.contains(&secret.reveal()[7..20]), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_token_is_refused_without_a_word_of_it() {
    let test = Test::start().await;
    let other = Secret::make();
    // Twice: the second time from memory.
    for _ in 0..2 {
        assert_eq!(refusal(test.access.authenticate(other.reveal(), None).await), Refusal::Unknown);
    }
    for text in ["", "gnomon_", "x", &other.reveal()[..54]] {
        assert_eq!(refusal(test.access.authenticate(text, None).await), Refusal::Malformed, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_once_and_free_again_when_its_token_is_revoked() {
    let test = Test::start().await;
    let first = test.create("app", None).await.unwrap();
    let taken = test.create("app", None).await.unwrap_err().to_string();
    assert!(taken.starts_with("there is a token `app`; revoke it first"), "{taken}");
    let revoked = test.access.tokens().revoke(&name("app"), "an operator").await.unwrap();
    assert_eq!(revoked.revoked_by.as_deref(), Some("an operator"));
    let error = test.access.tokens().revoke(&name("app"), "an operator").await.unwrap_err();
    assert!(matches!(error, TokenError::Unknown(_)), "{error}");
    let second = test.create("app", None).await.unwrap();
    assert_ne!(first, second);
    let names = async |with_revoked| {
        let tokens = test.access.tokens().list(with_revoked).await.unwrap();
        tokens.iter().map(|token| (token.name.to_string(), token.revoked_at.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(names(false).await, [("app".to_owned(), false)]);
    assert_eq!(names(true).await, [("app".to_owned(), true), ("app".to_owned(), false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_is_refused_by_each_host_soon() {
    let test = Test::start().await;
    let secret = test.create("app", None).await.unwrap();
    let caller = test.access.authenticate(secret.reveal(), None).await.unwrap();
    let ended = tokio::spawn({
        let access = test.access.clone();
        async move { access.ended(&caller).await }
    });
    test.another_host().tokens().revoke(&name("app"), "an operator").await.unwrap();
    assert_eq!(refusal(test.another_host().authenticate(secret.reveal(), None).await), Refusal::Unknown);
    test_support::until("the host that knew it looks again", async || {
        test.access.authenticate(secret.reveal(), None).await.is_err()
    })
    .await;
    // So does what has begun before.
    ended.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_is_refused_from_memory_and_by_who_has_never_seen_it() {
    let test = Test::start().await;
    let secret = test.create("brief", Some(Duration::from_millis(700))).await.unwrap();
    let caller = test.access.authenticate(secret.reveal(), None).await.unwrap();
    test.access.ended(&caller).await;
    test_support::until("it has expired by the clock of Postgres, too", async || {
        let found = test.another_host().authenticate(secret.reveal(), None).await;
        matches!(found, Err(AuthenticateError::Refused(Refusal::Expired)))
    })
    .await;
    assert_eq!(refusal(test.access.authenticate(secret.reveal(), None).await), Refusal::Expired);
    assert!(test.access.tokens().list(false).await.unwrap()[0].expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_written_once_a_minute() {
    let test = Test::start().await;
    let secret = test.create("app", None).await.unwrap();
    let last_use = async || test.access.tokens().list(false).await.unwrap()[0].last_used_at;
    assert_eq!(last_use().await, None);
    test.access.authenticate(secret.reveal(), None).await.unwrap();
    test_support::until("the first use is written", async || last_use().await.is_some()).await;
    let first = last_use().await;
    test.access.tokens().used(&secret.hash()).await.unwrap();
    assert_eq!(last_use().await, first, "the minute is not over");
    sqlx::query("UPDATE gnomon.tokens SET last_used_at = last_used_at - interval '2 minutes'")
        .execute(&test.pool)
        .await
        .unwrap();
    test.another_host().authenticate(secret.reveal(), None).await.unwrap();
    test_support::until("a later use is written", async || last_use().await > first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_a_number_of_wrong_tries_only_tokens_that_were_seen_are_looked_up() {
    let test = Test::start().await;
    let (seen, unseen) = (test.create("seen", None).await.unwrap(), test.create("unseen", None).await.unwrap());
    test.access.authenticate(seen.reveal(), None).await.unwrap();
    let wrong = Secret::make();
    test_support::until("there are too many", async || {
        (0..MAX_FAILED_PER_SECOND).for_each(|_| test.access.fail());
        matches!(test.access.authenticate(wrong.reveal(), None).await, Err(AuthenticateError::TooManyTries))
    })
    .await;
    test.access.authenticate(seen.reveal(), None).await.unwrap();
    test_support::until("the second is over", async || test.access.authenticate(unseen.reveal(), None).await.is_ok())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_this_program_does_not_know_grant_nothing() {
    let test = Test::start().await;
    let secret = test.create("app", None).await.unwrap();
    sqlx::query("UPDATE gnomon.tokens SET scopes = ARRAY['of:tomorrow', 'append=a b', 'read:models']")
        .execute(&test.pool)
        .await
        .unwrap();
    let caller = test.access.authenticate(secret.reveal(), None).await.unwrap();
    assert_eq!(caller.grants().texts(), ["read:models"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_an_issuer_takes_no_jwt() {
    let test = Test::start().await;
    let error = test.access.authenticate("e30.e30.AA", None).await.unwrap_err();
    assert!(matches!(error, AuthenticateError::Refused(Refusal::Jwt(JwtRefusal::NoIssuer))), "{error}");
    assert_eq!(test.access.issuer_keys_age(), None);
}

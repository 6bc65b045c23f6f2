//! JWTs of an issuer whose keys are in a file.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{SigningKey, unsigned_jwt};
use tokio::time::Instant;

use super::*;
use crate::access::{AuthenticateError, Caller, MAX_FAILED_PER_SECOND, Refusal, Who, tries::Tries};

const FROM: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

struct Test {
    issuer: Issuer,
    tries: Tries,
    _folder: TempDir,
    key: SigningKey,
}

fn settings(keys: KeySource) -> JwtSettings {
    JwtSettings {
        issuer: IssuerUrl::of_issuer("https://login.example/").unwrap(),
        audiences: vec!["gnomon".to_owned()],
        keys,
        scopes_claim: JwtSettings::SCOPES_CLAIM.to_owned(),
        clock_skew: Duration::ZERO,
        ca_file: None,
    }
}

/// A set of keys, as an issuer publishes it.
pub(super) fn set(keys: &[&SigningKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys })
}

pub(super) fn claims() -> Value {
    json!({"iss": "https://login.example/", "aud": "gnomon", "sub": "ada", "exp": now() + 600, "scope": "append=order openid"})
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Test {
    /// An issuer with one key of each kind that tests make, and one that others know.
    fn new() -> Self {
        let (key, other) = (SigningKey::ed("ed"), SigningKey::ec("ec"));
        let mut keys = set(&[&key, &other]);
        keys["keys"].as_array_mut().unwrap().push(json!({"kty": "RSA", "kid": "rsa", "n": RSA_N, "e": "AQAB"}));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        fs::write(&path, keys.to_string()).unwrap();
        Self {
            issuer: Issuer::start(settings(KeySource::File(path))).unwrap(),
            tries: Tries::default(),
            _folder: folder,
            key,
        }
    }

    async fn authenticate(&self, jwt: &str) -> Result<Caller, AuthenticateError> {
        let head = Head::of(jwt).expect("not a JWT");
        self.issuer.authenticate(jwt, &head, FROM, &self.tries).await
    }

    async fn refused(&self, jwt: &str) -> JwtRefusal {
        match self.authenticate(jwt).await {
            Err(AuthenticateError::Refused(Refusal::Jwt(refusal))) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

/// Of RFC 7515, appendix A.2.
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

#[tokio::test]
async fn a_good_jwt_says_who_makes_the_request_and_until_when() {
    let test = Test::new();
    let jwt = test.key.sign(&claims());
    // The second time, nothing is looked at again.
    for _ in 0..2 {
        let caller = test.authenticate(&jwt).await.unwrap();
        assert_eq!(
            (caller.who().to_string().as_str(), caller.grants().texts()),
            ("jwt ada", vec!["append=order".to_owned()])
        );
        assert!(matches!(caller.who(), Who::Subject(_)) && !caller.is_revocable());
        let left = caller.expires().unwrap() - Instant::now();
        assert!((Duration::from_secs(598)..=Duration::from_secs(600)).contains(&left), "{left:?}");
    }
}

#[tokio::test]
async fn a_changed_jwt_is_refused() {
    let test = Test::new();
    let jwt = test.key.sign(&claims());
    let parts: Vec<&str> = jwt.split('.').collect();
    let mut admin = claims();
    admin["scope"] = json!("admin");
    let admin = test.key.sign(&admin);
    let other: Vec<&str> = admin.split('.').collect();
    assert_eq!(test.refused(&format!("{}.{}.{}", parts[0], other[1], parts[2])).await, JwtRefusal::Signature);
    assert_eq!(test.refused(&format!("{}.{}.{}", parts[0], parts[1], other[2])).await, JwtRefusal::Signature);
    assert_eq!(test.refused(&format!("{}.{}.", parts[0], parts[1])).await, JwtRefusal::Signature);
    // Somebody else's key under the name of this one.
    assert_eq!(test.refused(&SigningKey::ed("ed").sign(&claims())).await, JwtRefusal::Signature);
    assert_eq!(test.refused(&format!("{}.e3.{}", parts[0], parts[2])).await, JwtRefusal::Malformed);
}

#[tokio::test]
async fn the_head_of_a_jwt_does_not_choose_how_it_is_checked() {
    let test = Test::new();
    let none = |name: &str| format!("{}.", unsigned_jwt(&json!({"alg": name, "kid": "ed"}), &claims()));
    for name in ["none", "None", "nOnE"] {
        assert_eq!(test.refused(&none(name)).await, JwtRefusal::Algorithm);
    }
    // The public key of the issuer as a secret that both sides know.
    for secret in [RSA_N.as_bytes(), test.key.jwk()["x"].as_str().unwrap().as_bytes()] {
        for kid in ["rsa", "ed"] {
            let signed = unsigned_jwt(&json!({"alg": "HS256", "kid": kid}), &claims());
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            assert_eq!(test.refused(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))).await, JwtRefusal::Algorithm);
        }
    }
    // A key of another kind.
    for (algorithm, kid) in [("EdDSA", "ec"), ("EdDSA", "rsa"), ("ES256", "rsa"), ("ES384", "ec"), ("RS256", "ed")] {
        let jwt = test.key.sign_under(&json!({"alg": algorithm, "kid": kid}), &claims());
        assert_eq!(test.refused(&jwt).await, JwtRefusal::OtherAlgorithm, "{algorithm} {kid}");
    }
    // A key that the JWT brings along, or says where it is.
    let own = SigningKey::ed("own");
    let head = json!({"alg": "EdDSA", "kid": "own", "jwk": own.jwk(), "jku": "https://evil.example/keys"});
    assert_eq!(test.refused(&own.sign_under(&head, &claims())).await, JwtRefusal::UnknownKey);
    let critical = json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": true});
    assert_eq!(test.refused(&test.key.sign_under(&critical, &claims())).await, JwtRefusal::Critical);
    // Without a name, it is the only key of its kind.
    assert!(test.authenticate(&test.key.sign_under(&json!({"alg": "EdDSA"}), &claims())).await.is_ok());
}

#[tokio::test]
async fn what_a_jwt_claims_is_checked_whoever_signed_it() {
    let test = Test::new();
    for (name, value, refusal) in [
        ("iss", json!("https://login.example"), JwtRefusal::Issuer),
        ("aud", json!("other"), JwtRefusal::Audience),
        ("exp", json!(now() - 1), JwtRefusal::Expired),
        ("nbf", json!(now() + 60), JwtRefusal::NotYetValid),
        ("sub", json!(""), JwtRefusal::Claim("sub")),
    ] {
        let mut changed = claims();
        changed[name] = value;
        assert_eq!(test.refused(&test.key.sign(&changed)).await, refusal, "{name}");
    }
    for name in ["iss", "aud", "exp", "sub"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(test.refused(&test.key.sign(&without)).await, JwtRefusal::Claim(name));
    }
    let mut long = claims();
    long["more"] = json!("x".repeat(MAX_JWT_BYTES));
    assert_eq!(test.refused(&test.key.sign(&long)).await, JwtRefusal::TooLong);
    let mut without_scopes = claims();
    without_scopes["scope"] = json!("openid profile");
    assert!(test.authenticate(&test.key.sign(&without_scopes)).await.unwrap().grants().texts().is_empty());
}

#[tokio::test]
async fn who_guesses_is_held_off_and_who_was_let_in_a_moment_ago_is_not() {
    let test = Test::new();
    let good = test.key.sign(&claims());
    test.authenticate(&good).await.unwrap();
    let forged = SigningKey::ed("ed");
    let mut tried = 0;
    loop {
        let mut claims = claims();
        claims["jti"] = json!(tried);
        match test.authenticate(&forged.sign(&claims)).await {
            Err(AuthenticateError::TooManyTries) => break,
            other => assert!(matches!(other, Err(AuthenticateError::Refused(_)))),
        }
        tried += 1;
        assert!(tried < 100 * MAX_FAILED_PER_SECOND, "nobody is held off");
    }
    assert!(tried >= MAX_FAILED_PER_SECOND);
    assert!(test.authenticate(&good).await.is_ok());
}

#[tokio::test]
async fn a_file_without_keys_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let error = || Issuer::start(settings(KeySource::File(path.clone()))).unwrap_err().to_string();
    assert!(error().contains("keys.json cannot be read: No such file"), "{}", error());
    for (text, said) in [
        ("{}", "has no set of keys: it is not a JSON object with a list `keys`"),
        ("{\"keys\": []}", "has no key that can be used; it has to be a set of public keys"),
        (
            "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}",
            "of the first one, it is a secret that both sides would know",
        ),
    ] {
        fs::write(&path, text).unwrap();
        assert!(error().contains(said), "{}", error());
    }
    fs::write(&path, vec![b' '; MAX_ISSUER_ANSWER_BYTES + 1]).unwrap();
    assert!(error().contains("has more than 1048576 bytes"), "{}", error());
    let authorities = JwtSettings { ca_file: Some(path.clone()), ..settings(KeySource::Discovery) };
    let error = Issuer::start(authorities).unwrap_err().to_string();
    assert!(error.contains("--jwt-ca-file has no certificates that can be read"), "{error}");
}

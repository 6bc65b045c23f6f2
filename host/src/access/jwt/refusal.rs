//! What is wrong with a JWT.

use super::settings::MAX_JWT_BYTES;

/// What is wrong with a JWT. No message tells anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtRefusal {
    /// The host has no issuer.
    #[error("the token is a JWT, and this host takes none: it has no --jwt-issuer")]
    NoIssuer,
    /// It is too long.
    #[error("the JWT has more than {MAX_JWT_BYTES} bytes (max_jwt_bytes); let the issuer put less into it")]
    TooLong,
    /// It is not as the standards have it.
    #[error("the JWT cannot be read: it is cut off, or changed, or its parts are not what RFC 7515 and RFC 7519 say")]
    Malformed,
    /// It is signed in a way that hosts do not take, or not at all.
    #[error(
        "the JWT is signed with an algorithm that hosts do not take (`alg`); they take RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA"
    )]
    Algorithm,
    /// It demands that something is understood.
    #[error(
        "the JWT has the header `crit`: what it names has to be understood, and hosts understand nothing of that kind"
    )]
    Critical,
    /// It is of another issuer.
    #[error("the JWT is of another issuer than this host trusts (`iss`, --jwt-issuer)")]
    Issuer,
    /// The issuer has no such key.
    #[error("the JWT is signed with a key that the issuer does not have (`kid`), as far as this host knows")]
    UnknownKey,
    /// Several keys may be meant.
    #[error("the JWT does not name its key (`kid`), and the issuer has several of its kind")]
    NoKeyNamed,
    /// The key is for something else.
    #[error("the JWT is signed with another algorithm than its key is for (`alg`)")]
    OtherAlgorithm,
    /// Somebody else has signed it, or it was changed.
    #[error("the signature of the JWT is wrong")]
    Signature,
    /// It is not for this host.
    #[error("the JWT is not for this host: none of its audiences is one of --jwt-audience (`aud`)")]
    Audience,
    /// Its time is over.
    #[error("the JWT has expired (`exp`)")]
    Expired,
    /// Its time has not come.
    #[error("the JWT is not valid yet (`nbf`)")]
    NotYetValid,
    /// A claim is missing.
    #[error("the JWT has no claim `{0}`, or not one of the kind that RFC 7519 demands")]
    Claim(&'static str),
}

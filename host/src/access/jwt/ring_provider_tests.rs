//! Signatures that others have made: those of the standards, and those of OpenSSL.

use jsonwebtoken::crypto::verify;

use super::*;

// RFC 7515, appendix A.2.
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
// RFC 7515, appendix A.3.
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const EC_SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const EC_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
// RFC 8037, appendix A.4.
const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED_SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const ED_SIGNATURE: &str = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

// Made by OpenSSL 3: `openssl dgst -sha256 -sign key.pem`, for PS with `-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest`; of ECDSA, r and s one
// after the other.
const OPENSSL_SIGNED: &[u8] = b"eyJhbGciOiJub25lIn0.e30";
const OPENSSL_N: &str = "op1SlNMuU2ZN1npndZtqvWAo8x_99uLYFvmzAdOW8PvV1n6dtUZwZ46V0YpyyqGwf7VFUjDt4zfHL9NDt83x5PXtFEJm5QxVAJf4jp3dMw63--C3wJeu7Bu0GTViRaJJmGlgPLX7KB3Run_nRf_sEUkPjEYMWv6MbS9ta-tfl77Imo1gmVbBq4uolCIipMMFduQk39orlbyAvQ6WECgEw08WR7oXCj6peRmEe4_MrFAHJcXA65IAQ1svCU6ODiuO-4wksuV3IQKNgzBVwdFXFii5E0hLjG00uU9VEeFcln3GcrvLmTA-wpS5IlHtzuEAgTcwqtjL0cGLKoj4T7Ll1Q";
const OPENSSL_RSA: [(Algorithm, &str); 6] = [
    (
        Algorithm::RS256,
        "Tb7BW1w4l6zAb_x3_wN8iPr5DNS-5PE3q5KiLyzEvMZtyva0-mmidB1CuFrohPL1U0VqE2K6t-ehcJMg45zim-lt-RNNVpGGH-Wd8sol9_alqe27Y6ALNs4YX2MUZq3xPe0ZsAyft9NUm7rSabneS1izvrkKREyRmRPvrXq-4Xe_Ikyis-mo-Wb1B5oasYWPt71SjW7IkoC54_Nyl7Ck1wpzmWT4lJSwioqQwDXURKwh8ts7k6LUqT3WdqQAqCDE3oDzbbWicEPk9Yq-humsaAajBmwMHair0VHMDMFrwmjJ04ALcVzP_wYULadpcOOzpSm8baLJu4_salMN3VkQNQ",
    ),
    (
        Algorithm::RS384,
        "OyuWM26BdxHTdhAvf54cjh0m3JRYZMur_b3Yf1_FvUHSA49wHLhBsGhAAah8W2LY2mm8yF5tFEDOgugg5wBdU_mq2qI5k6MkQBikVMp-zh-HSCqKsy6FkcP-HGO23L56JOYo4_w5OdJ3hjxkW-bSEFUhYYf-sUZftzx7jJtifhYK2gZcQgb2nbPfo-B5oO-1ruKcWzgWW09Wqr44lolRREgK0ICcnOQ6h1Me4GV1mXBTo1shfcIrYKTGsN8thykWHV302glnCAzX46kLRiyRqQATbvj4ewrBKYBnJXDytuyZXOFEruMFBw7I7piYBghEyNigZP1-SyoXU2U9ZVoRHA",
    ),
    (
        Algorithm::RS512,
        "b31ItBccF4_75OWK0wMZ_rnZrKJkN1jmVKItozvKZWIHeKyBZtCgfxcdsPkwJJd9EgdqJOJn2ajGbDNtuy0PKmVuaoiADGzcd7fsWjZmc-8cZR7Hsc9DTeXbx2zQIYAA6jD9q8NCxSRKVDyHoBNrA5eEjsiDTqTaENtKMr3L3B7p3opShMlxf4C0J-Fc4Wu9BYD9-l8MolQuMGl1n8ma0HvS3XLGVB0rDYtSpBVzCnfoCUvCd4hxKm56Af-U26EnjfYOhsjOyrNl4crUdStqNtat-ZPrptuY7sxiQk8MTcbLED_7014Jne7zWDDIfpf1lROISlU5lz_NFLKFy5zrDw",
    ),
    (
        Algorithm::PS256,
        "T2brHv4DaWVQx_IZncDZL2fPvyv_wUxF401Ci8UsicDz7miN0jWZ_ljZT_JtARlVcXCcz-QmDg0MkA5weLMOuRCfUlgK5hq6ZlvEb5q_-sMwLd-iGKt9zle_we72GrX5Cn9QRYBAiyBPGtWzybEXzmtp9w4Go98lXeD-Ti1zweMCdA-pRsj7AndxNznUSGDuVw13mlR4hlGPclxqcZbUopfxwC5ZFDaYjXT3-f62Cir0FkB1qQg3Wpo5_rPdznrgjgabRqJl1zu7ZIP7lS1wuMtC7LjSquCKQ4sM2loar8SZBJTlyO89ab5fNZax46ngFDdFJQnbY5tHcZnbsWOCvg",
    ),
    (
        Algorithm::PS384,
        "c8pEnmVCyDivCp_QsZ3kB9dhMgnvzeQiaJqPagoVeRC-So0mQqbB_Sbb9ghTno83ltaScBNUALKL_XnW1k5rrZNAumi5q__7y44sLiTaLPfFhTCkQ4N0KUUeMwSmMWXwcv_fKj7SvLHamIeUVAWt1BJbwv6XzsxJ3Sl6uEl0ZJlhfNUTRpnZdsXNmMzE_5pyxVB5-qa08ECWA_q3oJnkaKpbbKXHGobosWa_qXuP29Zd5fKT5x0EpsSAVze9ltv906sy3uh3uJx3habQxEVbzv545trYkg9kMQwXbzbex4lopq9sUyeEgdbJuEt_-WPG40PkRheGnVTznvzxGZUQaQ",
    ),
    (
        Algorithm::PS512,
        "O-vSpGan1EdffivjmI11jqw43YGwnnJOIgsFBaihJhx-TfeW6jDSyebGJ_t_EnlIM1omKCD_O90toA73JnFBTN-HaP43zYr1RQRa3ZlqR78Zql5gFrCQ1AnEE2EGGdc5YSeQulpKLj6LyZgdGMZH9LWZ-hdUqPp255MyrcTXXXhoURG-HZGMQwzu9nnADZB3lm9E1CaneYeyxDTenr3l_shT0Y77QDHburY5OHT3yYGA75SFN-M8TVy4MzTA1JQmkJdaGCTPI9LHTkDJ6vG7KJbxq0kMtjls4lGNa6eB1F7s_vy053nzj45RVeHa9dE9TZATX59h2W65qbOcFTllLQ",
    ),
];
const OPENSSL_X: &str = "x0k-DRiwU7tN4iYHxmy8SJ0MQeaV0WovDpHurLvmOKrViZjCYyGPGAbjLDp52xN-";
const OPENSSL_Y: &str = "tMzDYHp5X6ajCwC8BuZA1v90U4EkOTlOIMGt1igDHyVl6_DqeYSEUNEh4NktBGRa";
const OPENSSL_ES384: &str = "X6BYiY3EWQLaJG6JLstXVhaQQo0xry8ERwEcgsFA0243jMjNXpg5hF2xAom8thtg3NrRFCzCu53cM9r-dpoHg0PpA7TsyaNiVCZSTqvuuItSm_eNIu1K99G2bIPs66Ih";

fn vectors() -> [(Algorithm, DecodingKey, &'static str, &'static str); 3] {
    install();
    [
        (Algorithm::RS256, DecodingKey::from_rsa_components(RSA_N, "AQAB").unwrap(), RSA_SIGNED, RSA_SIGNATURE),
        (Algorithm::ES256, DecodingKey::from_ec_components(EC_X, EC_Y).unwrap(), EC_SIGNED, EC_SIGNATURE),
        (Algorithm::EdDSA, DecodingKey::from_ed_components(ED_X).unwrap(), ED_SIGNED, ED_SIGNATURE),
    ]
}

#[test]
fn signatures_of_the_standards_are_good_and_changed_ones_are_not() {
    for (algorithm, key, signed, signature) in vectors() {
        let good = |signed: &str, signature: &str| verify(signature, signed.as_bytes(), &key, algorithm).unwrap();
        assert!(good(signed, signature), "{algorithm:?}");
        assert!(!good(&signed.replace(".e", ".f").replace(".R", ".S"), signature), "{algorithm:?}");
        let changed = if signature.starts_with('D') { 'E' } else { 'D' };
        assert!(!good(signed, &format!("{changed}{}", &signature[1..])), "{algorithm:?}");
        assert!(!good(signed, ""), "{algorithm:?}");
    }
}

#[test]
fn zeros_before_a_modulus_change_nothing() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    install();
    let modulus = [&[0, 0][..], &URL_SAFE_NO_PAD.decode(RSA_N).unwrap()].concat();
    let key = DecodingKey::from_rsa_raw_components(&modulus, &[0, 1, 0, 1]);
    assert!(verify(RSA_SIGNATURE, RSA_SIGNED.as_bytes(), &key, Algorithm::RS256).unwrap());
}

#[test]
fn a_key_is_for_algorithms_of_its_kind_and_no_secret_is_one() {
    const ALL: [Algorithm; 12] = [
        Algorithm::HS256,
        Algorithm::HS384,
        Algorithm::HS512,
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    for (of, key, ..) in vectors() {
        for algorithm in ALL {
            assert_eq!(verifier(&algorithm, &key).is_ok(), algorithm.family() == of.family(), "{of:?} {algorithm:?}");
        }
    }
    // What the issuer publishes, taken for a secret that both sides know.
    for secret in [RSA_N.as_bytes(), ED_X.as_bytes()] {
        for algorithm in ALL {
            assert!(verifier(&algorithm, &DecodingKey::from_secret(secret)).is_err(), "{algorithm:?}");
        }
    }
}

#[test]
fn each_signature_of_openssl_is_good_under_its_own_algorithm_only() {
    install();
    let key = DecodingKey::from_rsa_components(OPENSSL_N, "AQAB").unwrap();
    for (made, signature) in OPENSSL_RSA {
        for (algorithm, _) in OPENSSL_RSA {
            assert_eq!(
                verify(signature, OPENSSL_SIGNED, &key, algorithm).unwrap(),
                made == algorithm,
                "{made:?} {algorithm:?}"
            );
        }
    }
    let key = DecodingKey::from_ec_components(OPENSSL_X, OPENSSL_Y).unwrap();
    assert!(verify(OPENSSL_ES384, OPENSSL_SIGNED, &key, Algorithm::ES384).unwrap());
    assert!(!verify(OPENSSL_ES384, OPENSSL_SIGNED, &key, Algorithm::ES256).unwrap());
}

//! The settings of authentication: what is taken, and what the report says of the rest.

use dispense_http::auth::{Audience, AuthMode, DevelopmentKeys, GatewaySecret, Issuer, JwksSource};

#[test]
fn keys_come_from_a_file_or_https_or_this_machine() {
    for path in ["jwks.json", "/etc/dispense/jwks.json", "file:///etc/dispense/jwks.json"] {
        assert!(matches!(path.parse(), Ok(JwksSource::File(_))), "{path}");
    }
    for address in [
        "https://id.example.org/jwks.json",
        "https://id.example.org:8443/jwks.json?tenant=7",
        "http://localhost:9000/jwks.json",
        "http://127.0.0.1:9000/jwks.json",
        "http://127.8.8.8/jwks.json",
        "http://[::1]:9000/jwks.json",
    ] {
        assert!(matches!(address.parse(), Ok(JwksSource::Url(_))), "{address}");
    }
    for refused in [
        "",
        "http://id.example.org/jwks.json",
        "http://10.0.0.7/jwks.json",
        "http://localhost.example.org/jwks.json",
        "http://127.0.0.1.example.org/jwks.json",
        "https://user:password@id.example.org/jwks.json",
        "https://token@id.example.org/jwks.json",
        "https://",
        "ftp://id.example.org/jwks.json",
    ] {
        let error = refused.parse::<JwksSource>().unwrap_err();
        assert!(error.to_string().starts_with("expected the path of a JWKS file"), "{refused}");
    }
}

#[test]
fn a_gateway_secret_has_sixteen_characters_and_is_never_shown() {
    assert!("0123456789abcdef".parse::<GatewaySecret>().is_ok());
    for refused in ["", "0123456789abcde", "0123456789abcdef ", "0123456789abcdé!"] {
        let error = refused.parse::<GatewaySecret>().unwrap_err().to_string();
        assert!(error.contains("at least 16"), "{error}");
        assert!(refused.is_empty() || !error.contains(refused));
    }
    let secret: GatewaySecret = "0123456789abcdef".parse().unwrap();
    assert_eq!(format!("{secret:?}"), "GatewaySecret(…)");
}

#[test]
fn words_are_taken_as_they_are_written_or_not_at_all() {
    assert_eq!("jwt".parse(), Ok(AuthMode::Jwt));
    assert_eq!("gateway".parse(), Ok(AuthMode::Gateway));
    assert!("open".parse::<AuthMode>().is_err());
    assert!("".parse::<AuthMode>().is_err());
    assert_eq!("true".parse(), Ok(DevelopmentKeys::Allowed));
    assert_eq!("false".parse(), Ok(DevelopmentKeys::Refused));
    assert!("yes".parse::<DevelopmentKeys>().is_err());
    for refused in ["", " ", "dispense ", "\tdispense"] {
        assert!(refused.parse::<Issuer>().is_err());
        assert!(refused.parse::<Audience>().is_err());
    }
}

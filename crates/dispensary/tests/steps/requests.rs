//! What a medication request is known by.

use dispensary::{InvalidRequestKey, RequestKey};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0xe1e2_0000_0000_4000_8000_0000_0000_0001);

#[test]
fn a_request_is_known_by_its_id_with_dashes_or_without() {
    let known = RequestKey::Id(ID.into());
    for text in [ID.hyphenated().to_string(), ID.simple().to_string()] {
        assert_eq!(text.parse(), Ok(known.clone()), "{text}");
    }
}

#[test]
fn a_request_is_known_by_its_number_as_it_was_written() {
    for text in ["0000-243P-1X53-EH38", "0000-AEHK-MPTX-0123", "0000-9999-9999-9999"] {
        let number = text.try_into().unwrap();
        assert_eq!(text.parse(), Ok(RequestKey::Number(number)), "{text}");
    }
}

#[test]
fn anything_else_names_no_request() {
    let braced = ID.braced().to_string();
    let urn = ID.urn().to_string();
    let texts = [
        "",
        "1",
        "0000-243p-1x53-eh38",
        "0000-243P-1X53-EH3B",
        "0001-243P-1X53-EH38",
        "0000-243P-1X53",
        "0000-243P-1X53-EH38-0000",
        "0000-243P-1X53-EH389",
        "0000243P1X53EH38",
        " 0000-243P-1X53-EH38",
        "e1e20000-0000-4000-8000-00000000000g",
        "e1e20000-0000-4000-8000-0000000000",
        &braced,
        &urn,
    ];
    for text in texts {
        assert_eq!(text.parse::<RequestKey>(), Err(InvalidRequestKey), "{text:?}");
    }
}

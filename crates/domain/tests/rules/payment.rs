//! Rule 21: with a signature the payment is stated when it is signed; without, at once.

use dispense_domain::registry::ProgramSettings;
use dispense_domain::{Code, Money, Place, Stated, Text};

use crate::sample::{Scene, all_in_order, hryvnias, text, without_signature};

fn paid(payment_id: Stated<Text>, payment_amount: Stated<Money>) -> Scene {
    all_in_order()
        .but(|it| it.hold.payment_id = payment_id)
        .but(|it| it.hold.payment_amount = payment_amount)
}

fn receipt() -> Stated<Text> {
    Stated::Value(text("A-1"))
}

fn places(scene: &Scene, code: Code) -> Vec<Place> {
    let refused = scene.refused();
    assert!(refused.iter().all(|no| no.code == code && no.params.is_empty()), "{refused:?}");
    refused.iter().map(|no| no.place.clone().unwrap()).collect()
}

#[test]
fn under_a_signature_neither_member_may_be_there_not_even_as_null() {
    assert!(paid(Stated::Absent, Stated::Absent).codes().is_empty());

    for payment_id in [receipt(), Stated::Null] {
        let scene = paid(payment_id, Stated::Absent);
        assert_eq!(places(&scene, Code::PaymentNotAllowed), [Place::PaymentId]);
    }
    for payment_amount in [Stated::Value(hryvnias("0")), Stated::Null] {
        let scene = paid(Stated::Absent, payment_amount);
        assert_eq!(places(&scene, Code::PaymentNotAllowed), [Place::PaymentAmount]);
    }
    let both = paid(Stated::Null, Stated::Value(hryvnias("136.50")));
    assert_eq!(
        places(&both, Code::PaymentNotAllowed),
        [Place::PaymentId, Place::PaymentAmount],
        "both are reported together"
    );
}

#[test]
fn outside_any_program_there_is_a_signature() {
    let scene = paid(receipt(), Stated::Absent).but(Scene::without_program);
    assert_eq!(places(&scene, Code::PaymentNotAllowed), [Place::PaymentId]);
}

#[test]
fn a_setting_that_is_not_true_means_a_signature() {
    for skip_medication_dispense_sign in [None, Some(false)] {
        let settings = ProgramSettings { skip_medication_dispense_sign, ..Default::default() };
        let scene = paid(receipt(), Stated::Absent).but(|it| it.under(settings));
        assert_eq!(places(&scene, Code::PaymentNotAllowed), [Place::PaymentId]);
    }
}

#[test]
fn without_a_signature_the_amount_is_needed_and_the_receipt_is_not() {
    for payment_id in [Stated::Absent, Stated::Null, receipt()] {
        for payment_amount in ["0", "136.50"] {
            let scene = paid(payment_id.clone(), Stated::Value(hryvnias(payment_amount)))
                .but(|it| it.under(without_signature()));
            assert!(scene.codes().is_empty(), "{payment_id:?} {payment_amount}");
        }
        for payment_amount in [Stated::Absent, Stated::Null] {
            let scene =
                paid(payment_id.clone(), payment_amount).but(|it| it.under(without_signature()));
            assert_eq!(places(&scene, Code::PaymentRequired), [Place::PaymentAmount]);
        }
    }
}

//! Ids: derived, and an id alone finds its partition.

use dispense_domain::{DispenseId, Partitions, slice};
use proptest::prelude::*;
use uuid::{Uuid, Variant, Version};

use crate::sample::{PHARMACY, REQUEST, id};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A dispense lives in the partition of its request, however many partitions there are.
    #[test]
    fn a_dispense_finds_the_partition_of_its_request(
        request: u128, client: u128, key in "[!-~]{1,255}",
    ) {
        let dispense = DispenseId::asked_for(id(request), id(client), &key);
        prop_assert_eq!(dispense.uuid().get_version(), Some(Version::Custom));
        prop_assert_eq!(dispense.uuid().get_variant(), Variant::RFC4122);
        for count in 1..=Partitions::MOST {
            let partitions = Partitions::new(count).unwrap();
            let partition = partitions.of_dispense(dispense);
            prop_assert_eq!(partition, partitions.of_request(id(request)));
            prop_assert!(partition < count);
        }
    }

    /// Another request, client or key is another dispense.
    #[test]
    fn every_part_of_the_question_matters(request: u128, client: u128, key in "[!-~]{1,255}") {
        let asked = DispenseId::asked_for(id(request), id(client), &key);
        prop_assert_eq!(asked, DispenseId::asked_for(id(request), id(client), &key));
        let others = [
            DispenseId::asked_for(id(request ^ 1), id(client), &key),
            DispenseId::asked_for(id(request), id(client ^ 1), &key),
            DispenseId::asked_for(id(request), id(client), &format!("{key}!")),
        ];
        prop_assert!(!others.contains(&asked));
    }
}

#[test]
fn a_log_has_one_to_a_thousand_and_twenty_four_partitions() {
    assert_eq!(Partitions::new(0), None);
    assert_eq!(Partitions::new(1).map(Partitions::count), Some(1));
    assert_eq!(Partitions::new(1024).map(Partitions::count), Some(1024));
    assert_eq!(Partitions::new(1025), None);
    assert_eq!(Partitions::new(3).unwrap().all().collect::<Vec<_>>(), [0, 1, 2]);
}

/// Requests spread evenly: no partition of sixteen gets half again as much as its share.
#[test]
fn slices_spread() {
    let partitions = Partitions::new(16).unwrap();
    let mut load = [0_u32; 16];
    for number in 0..16_000_u128 {
        load[usize::from(partitions.of_request(id(number)))] += 1;
    }
    assert!(load.iter().all(|count| (500..1_500).contains(count)), "{load:?}");
    assert_eq!(slice(Uuid::from_u128(REQUEST)) % 16, partitions.of_request(id(REQUEST)));
}

#[test]
fn events_and_items_of_a_dispense_have_ids_of_their_own() {
    let dispense = DispenseId::asked_for(id(REQUEST), id(PHARMACY), "first");
    let mut all: Vec<Uuid> = ["HoldCreated", "Processed", "Cancelled", "Expired"]
        .iter()
        .map(|name| dispense.event_id(name))
        .chain((0..100).map(|index| dispense.item_id(index).uuid()))
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 104);
}

//! Certificates that end while a hold lives, and lists of revoked ones that change, run out or break
//! while the service runs.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use dispense_signing::development::{Identity, Profile};
use openssl::x509::X509Ref;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::{
    Answer, Audit, Database, Instance, Order, PAID, Pharmacy, Prescribed, Terms, World, authority,
    eventually, sign_as, temporary,
};

/// How long until a change of a file is noticed.
const NOTICED_WITHIN: Duration = Duration::from_mins(1);

/// How long a certificate or a list is valid that is to run out.
const SHORT: Duration = Duration::from_secs(3);

const EXPIRED: &str = "the certificate of the signer has expired";
const REVOKED: &str = "the certificate of the signer is revoked";
const UNKNOWN: &str = "it cannot be known whether the certificate is revoked: there is no current \
                       list of revoked certificates from an authority above the signer";

struct Opened {
    database: Database,
    _instance: Instance,
    pharmacy: Pharmacy,
    requests: Vec<Prescribed>,
}

impl Opened {
    async fn with(more: &[(&str, &str)]) -> Self {
        let database = Database::new().await;
        let world = World::new(1, 4);
        database.import(&world.lines());
        let instance = Instance::start_with(&database, more).await;
        let pharmacy = world.pharmacies[0].at(&instance);
        Self { database, _instance: instance, pharmacy, requests: world.all(Terms::InParts) }
    }

    async fn held(&self, n: usize) -> Uuid {
        self.pharmacy.dispense(&self.requests[n], 10).await.expect(201).id()
    }

    /// A certificate of the pharmacist.
    fn issued(&self) -> Identity {
        authority().issue(&Profile::of(&self.pharmacy.person)).unwrap()
    }

    async fn signed_by(&self, who: &Identity, held: Uuid) -> Vec<u8> {
        sign_as(who, &self.pharmacy.content(held).await, PAID)
    }

    /// The hold cannot be handed over with that container, through either API, and lives on.
    async fn refuses(&self, held: Uuid, container: &[u8], why: &str) {
        let answer = self.pharmacy.send(&Order::processing(held, container)).await;
        let answer = answer.refused(400, "signature-invalid");
        assert_eq!(answer.body["errors"][0]["message"], why, "{answer:?}");
        let in_register = Order::processing_in_register(held, container);
        self.pharmacy.send(&in_register).await.said(400, "request_malformed", why);
        assert_eq!(self.pharmacy.look_at(held).await.expect(200).body["status"], "HELD");
        let of_hold = |key: &String| key.starts_with(&held.to_string());
        assert!(!self.database.stored().iter().any(of_hold), "what is refused is not kept");
    }

    async fn takes(&self, held: Uuid, container: &[u8]) {
        let done = self.pharmacy.send(&Order::processing(held, container)).await.expect(200);
        assert_eq!(done.body["status"], "COMPLETED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_expires_while_the_hold_lives_hands_nothing_over() {
    let opened = Opened::with(&[]).await;
    let now = SystemTime::now();
    let until = now + SHORT;
    let short = Profile::of(&opened.pharmacy.person).valid(now - SHORT, until);
    let short = authority().issue(&short).unwrap();
    let held = opened.held(0).await;
    let container = opened.signed_by(&short, held).await;
    eventually("a certificate that has expired", NOTICED_WITHIN, async || {
        (SystemTime::now() > until + Duration::from_secs(1)).then_some(())
    })
    .await;
    opened.refuses(held, &container, EXPIRED).await;
    opened.takes(held, &opened.signed_by(&opened.issued(), held).await).await;
    Audit::of(&opened.database).await;
}

/// The file with the list of revoked certificates of the one authority.
struct List {
    _folder: TempDir,
    path: PathBuf,
}

impl List {
    /// One that names nobody.
    fn new() -> Self {
        let folder = temporary();
        let path = folder.path().join("revoked.pem");
        let list = Self { _folder: folder, path };
        list.names(&[], Duration::from_hours(1));
        list
    }

    /// Puts another list in its place, as whoever fetches lists should: at one go.
    fn names(&self, revoked: &[&X509Ref], valid: Duration) {
        let list = authority().revocation_list(revoked, SystemTime::now() + valid).unwrap();
        let beside = self.path.with_extension("new");
        std::fs::write(&beside, list).unwrap();
        std::fs::rename(&beside, &self.path).unwrap();
    }

    /// Writes over it what is no list.
    fn breaks(&self) {
        std::fs::write(&self.path, "<html>503 Service Unavailable</html>").unwrap();
    }
}

async fn with_list() -> (List, Opened) {
    let list = List::new();
    let path = list.path.display().to_string();
    (list, Opened::with(&[("SIGNATURE_CRLS", &path)]).await)
}

impl Opened {
    /// What is said of the signature under a document that is not that of the hold: so it is learnt
    /// without an effect.
    async fn said_of(&self, who: &Identity, held: Uuid) -> Vec<String> {
        let container = sign_as(who, &Value::Object(serde_json::Map::new()), PAID);
        let answer = self.pharmacy.send(&Order::processing(held, &container)).await;
        messages(&answer)
    }

    async fn notices(&self, who: &Identity, held: Uuid, why: &str) {
        eventually(why, NOTICED_WITHIN, async || {
            self.said_of(who, held).await.iter().any(|it| it == why).then_some(())
        })
        .await;
    }

    /// How often the files could not be read.
    async fn trust_failures(&self) -> f64 {
        self.pharmacy.figure("dispense_signature_trust_failures_total").await
    }
}

fn messages(answer: &Answer) -> Vec<String> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["message"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_revoked_while_the_hold_lives_hands_nothing_over() {
    let (list, opened) = with_list().await;
    let (revoked, good) = (opened.issued(), opened.issued());
    let (one, other) = (opened.held(0).await, opened.held(1).await);
    let container = opened.signed_by(&revoked, one).await;
    opened.takes(other, &opened.signed_by(&revoked, other).await).await;

    list.names(&[&revoked.certificate], Duration::from_hours(1));
    opened.notices(&revoked, one, REVOKED).await;
    opened.refuses(one, &container, REVOKED).await;
    opened.takes(one, &opened.signed_by(&good, one).await).await;
    Audit::of(&opened.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_run_out_lets_nobody_hand_over() {
    let (list, opened) = with_list().await;
    let pharmacist = opened.issued();
    let held = opened.held(0).await;
    let container = opened.signed_by(&pharmacist, held).await;
    // It runs out by itself, while nobody touches the file.
    list.names(&[], SHORT);
    opened.notices(&pharmacist, held, UNKNOWN).await;
    opened.refuses(held, &container, UNKNOWN).await;

    // The next issue is there.
    let revoked = opened.issued();
    list.names(&[&revoked.certificate], Duration::from_hours(1));
    opened.notices(&revoked, held, REVOKED).await;
    opened.takes(held, &container).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_breaks_leaves_the_one_before_in_force() {
    let (list, opened) = with_list().await;
    let (revoked, good) = (opened.issued(), opened.issued());
    let (one, other) = (opened.held(0).await, opened.held(1).await);
    list.names(&[&revoked.certificate], Duration::from_hours(1));
    opened.notices(&revoked, one, REVOKED).await;
    let before = opened.trust_failures().await;

    list.breaks();
    eventually("a list that is found broken", NOTICED_WITHIN, async || {
        opened.said_of(&good, one).await;
        (opened.trust_failures().await > before).then_some(())
    })
    .await;
    opened.refuses(one, &opened.signed_by(&revoked, one).await, REVOKED).await;
    opened.takes(other, &opened.signed_by(&good, other).await).await;

    // A good one is in force again, without a restart.
    list.names(&[&good.certificate], Duration::from_hours(1));
    opened.notices(&good, one, REVOKED).await;
    opened.takes(one, &opened.signed_by(&revoked, one).await).await;
}

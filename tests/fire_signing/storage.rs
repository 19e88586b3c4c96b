//! The store for what was signed fails: nothing is handed over, and nothing else suffers.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::harness::{
    Audit, Database, Instance, Order, PAID, Pharmacy, SmallDisk, Terms, World, temporary,
};

/// How long a start that fails may take.
const FAILS_WITHIN: Duration = Duration::from_mins(1);

/// An account that owns nothing.
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

struct Opened {
    database: Database,
    instance: Instance,
    world: World,
    pharmacy: Pharmacy,
}

impl Opened {
    /// A service that is started under something else.
    async fn under(wrapper: &[String], database: Database) -> Self {
        let world = World::new(1, 8);
        database.import(&world.lines());
        let instance = Instance::start_under(wrapper, &database, &[]).await;
        let pharmacy = world.pharmacies[0].at(&instance);
        Self { database, instance, world, pharmacy }
    }

    /// A service whose store is that disk.
    async fn on(disk: &SmallDisk) -> Self {
        let mut database = Database::new().await;
        database.contents = disk.path();
        let mut opened = Self::under(&disk.wrapper(), database).await;
        opened.database.contents = disk.of(opened.instance.process_id()).seen();
        opened
    }

    /// The events of the `n`-th medication request.
    async fn kinds(&self, n: usize) -> Vec<String> {
        let audit = Audit::of(&self.database).await;
        let request = self.world.prescribed(Terms::InParts, n).id;
        audit.kinds(request).into_iter().map(str::to_owned).collect()
    }

    async fn held(&self, n: usize) -> Uuid {
        let what = self.world.prescribed(Terms::InParts, n);
        self.pharmacy.dispense(&what, 10).await.expect(201).id()
    }

    /// While the store is spoiled, hand-overs fail through both APIs, and nothing else does; once it
    /// is mended, the same orders are carried out. Uses the `n`-th medication request and the next.
    async fn lives_through(&self, n: usize, spoil: impl FnOnce(), mend: impl FnOnce()) {
        let pharmacy = &self.pharmacy;
        let [one, other] = [self.held(n).await, self.held(n + 1).await];
        let order = pharmacy.handing_over(one, PAID).await;
        let container = pharmacy.sign(&pharmacy.content(other).await, PAID);
        let in_register = Order::processing_in_register(other, &container);
        let before = self.database.stored();

        spoil();
        for _ in 0..2 {
            pharmacy.send(&order).await.refused(502, "content-not-stored");
            let answer = pharmacy.send(&in_register).await;
            answer.said(502, "bad_gateway", "Failed to save signed content");
        }
        assert_eq!(pharmacy.look_at(one).await.expect(200).body["status"], "HELD");
        assert_eq!(pharmacy.ehealth_get(other).await.expect(200).data()["status"], "NEW");
        self.goes_on().await;
        mend();

        assert_eq!(self.database.stored(), before, "a part of a container was left");
        for n in [n, n + 1] {
            assert_eq!(self.kinds(n).await, ["HoldCreated"]);
        }
        for (order, status) in [(order, "/status"), (in_register, "/data/status")] {
            let done = pharmacy.send(&order).await.expect(200);
            assert_eq!(done.header("idempotency-replayed"), None, "{done:?}");
            let status = done.body.pointer(status).unwrap().as_str().unwrap();
            assert!(["COMPLETED", "PROCESSED"].contains(&status), "{done:?}");
        }
        // The audit looks into the store for what these events name.
        for n in [n, n + 1] {
            assert_eq!(self.kinds(n).await, ["HoldCreated", "Processed"]);
        }
        assert_eq!(self.database.stored().len(), before.len() + 2);
    }

    /// Everything that needs no store.
    async fn goes_on(&self) {
        let pharmacy = &self.pharmacy;
        let held = self.held(7).await;
        pharmacy.content(held).await;
        pharmacy.cancel(held).await.expect(200);
        let at_once = self.world.prescribed(Terms::InPartsAtOnce, 0);
        pharmacy.dispense(&at_once, 10).await.expect(201);
        pharmacy.balance(&at_once).await.expect(200);
        pharmacy.get("/health/live").await.expect(200);
        self.instance.health().await;
    }

    #[track_caller]
    fn has_said(&self, why: &str) {
        let said = self.instance.said();
        assert!(said.contains(why), "{said}");
    }
}

/// None where nothing can be mounted, which is said even if the test is not watched.
fn small_disk() -> Option<SmallDisk> {
    let disk = SmallDisk::new();
    if let Err(error) = &disk {
        not_tested(&error.to_string());
    }
    disk.ok()
}

fn not_tested(why: &str) {
    let text = format!("NOT TESTED, because a store cannot be spoiled here: {why}\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// What a service is started under so that it may not do everything; nothing where we may not either.
fn as_nobody() -> Vec<String> {
    let are_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if are_root { NOBODY.map(str::to_owned).to_vec() } else { Vec::new() }
}

fn permit(folder: &Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_full_is_told_of_and_used_again() {
    let Some(disk) = small_disk() else { return };
    let opened = Opened::on(&disk).await;
    let mounted = disk.of(opened.instance.process_id());
    opened.lives_through(0, || mounted.fill_but(0), || mounted.empty()).await;
    // There is room for the beginning of a container.
    opened.lives_through(2, || mounted.fill_but(1), || mounted.empty()).await;
    opened.has_said("No space left on device");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_turns_read_only_is_told_of_and_used_again() {
    let Some(disk) = small_disk() else { return };
    let opened = Opened::on(&disk).await;
    let mounted = disk.of(opened.instance.process_id());
    opened.lives_through(0, || mounted.remount("ro"), || mounted.remount("rw")).await;
    opened.has_said("Read-only file system");
}

/// What is kept must not come to lie on the disk below.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_mounted_any_more_is_not_made_anew() {
    let Some(disk) = small_disk() else { return };
    let opened = Opened::on(&disk).await;
    let mounted = disk.of(opened.instance.process_id());
    opened.lives_through(0, || mounted.take_away(), || mounted.put_back()).await;
    opened.has_said("another file system is mounted there");
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_may_not_be_written_to_is_told_of_and_used_again() {
    let database = Database::new().await;
    let folder = database.contents.clone();
    fs::create_dir(&folder).unwrap();
    permit(&folder, 0o777);
    let opened = Opened::under(&as_nobody(), database).await;
    opened.lives_through(0, || permit(&folder, 0o555), || permit(&folder, 0o777)).await;
    opened.has_said("Permission denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn x_37_a_store_that_is_gone_is_told_of_and_used_again() {
    let opened = Opened::under(&[], Database::new().await).await;
    let folder = opened.database.contents.clone();
    let elsewhere = folder.with_extension("elsewhere");
    let removed = || fs::remove_dir(&folder).unwrap();
    opened.lives_through(0, removed, || fs::create_dir(&folder).unwrap()).await;

    let moved = || fs::rename(&folder, &elsewhere).unwrap();
    let moved_back = || fs::rename(&elsewhere, &folder).unwrap();
    opened.lives_through(2, moved, moved_back).await;

    let replaced = || {
        moved();
        fs::write(&folder, "a file in its place").unwrap();
    };
    let restored = || {
        fs::remove_file(&folder).unwrap();
        moved_back();
    };
    opened.lives_through(4, replaced, restored).await;
    opened.has_said("No such file or directory");
}

/// Starts a service that has to refuse, and returns what it said.
fn refuses_to_start(database: &Database, wrapper: &[String], store: &str) -> String {
    let settings = [("CONTENT_STORE_URL", store)];
    let mut instance = Instance::launch_under(wrapper, database, &settings);
    let status = instance.wait(FAILS_WITHIN);
    let said = instance.said();
    assert_eq!(status.code(), Some(1), "{store}: {said}");
    assert!(said.contains("CONTENT_STORE_URL") && said.contains(store), "{store}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_used_stops_the_start() {
    let database = Database::new().await;
    let folder = temporary();
    let url = |name: &str| format!("file://{}", folder.path().join(name).display());

    fs::write(folder.path().join("file"), "a file in its place").unwrap();
    let file = refuses_to_start(&database, &[], &url("file"));
    assert!(file.contains("it has to be there"), "says the way out: {file}");

    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    permit(&closed, 0o555);
    let of_others = refuses_to_start(&database, &as_nobody(), &url("closed"));
    assert!(of_others.contains("Permission denied"), "says why: {of_others}");

    let never = refuses_to_start(&database, &[], "file:///proc/contents");
    assert!(never.contains("it has to be there"), "says the way out: {never}");
}

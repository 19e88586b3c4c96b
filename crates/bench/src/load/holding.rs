//! Holds that will be handed over: made, and their documents read.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::ensure;
use serde::Deserialize;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::connection::{Answer, Connection};
use crate::work::{Belt, Held, Signers};

/// Makes up to `count` holds out of these orders, fewer where orders run out, from so many clients,
/// and reads what is to be signed for each.
pub(crate) async fn holding(
    address: SocketAddr,
    clients: u32,
    count: usize,
    belt: Rc<Belt>,
    signers: Rc<Signers>,
) -> anyhow::Result<Vec<Held>> {
    let held = RefCell::default();
    let shared = Rc::new(Shared { belt, signers, wanted: Cell::new(count), held });
    let mut clients_at_work = JoinSet::new();
    for _ in 0..clients {
        let connection = Connection::open(address).await?;
        clients_at_work.spawn_local(Rc::clone(&shared).client(connection));
    }
    while let Some(client) = clients_at_work.join_next().await {
        client??;
    }
    Ok(shared.held.take())
}

struct Shared {
    belt: Rc<Belt>,
    signers: Rc<Signers>,
    /// Holds that are still to be made.
    wanted: Cell<usize>,
    held: RefCell<Vec<Held>>,
}

/// The one member of a hold that is needed here.
#[derive(Deserialize)]
struct Hold {
    id: Uuid,
}

impl Shared {
    async fn client(self: Rc<Self>, mut connection: Connection) -> anyhow::Result<()> {
        while let Some(wanted) = self.wanted.get().checked_sub(1) {
            self.wanted.set(wanted);
            let Some(letter) = self.belt.take() else {
                break;
            };
            let desk = letter.desk;
            let held = connection.exchange(self.belt.head(&letter), &letter.tail).await?;
            let Hold { id: dispense } = serde_json::from_slice(body(held, 201)?)?;
            let question = self.signers.question(desk, dispense)?;
            let content = connection.exchange(&question, b"").await?;
            let document = body(content, 200)?.to_vec();
            self.held.borrow_mut().push(Held { desk, dispense, document });
        }
        Ok(())
    }
}

/// The body of an answer that has to have that status.
fn body(answer: Answer<'_>, status: u16) -> anyhow::Result<&[u8]> {
    let text = || String::from_utf8_lossy(answer.body).into_owned();
    ensure!(answer.status == status, "expected a {status}, found a {}: {}", answer.status, text());
    Ok(answer.body)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::NaiveDate;
    use dispense_demo::Demo;
    use dispense_signing::development::Authority;

    use super::super::run;
    use super::super::tests::{Shop, belt};
    use super::*;
    use crate::work::desks;

    fn held(orders: &Rc<Belt>, count: usize) -> anyhow::Result<Vec<Held>> {
        let demo = Demo::new(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
        let desks = desks(&demo, "h", |_| Ok("t".to_owned())).unwrap();
        let authority = Authority::root("of a test").unwrap();
        let signers = Rc::new(Signers::new(&demo, desks, &authority).unwrap());
        let shop = Shop::open();
        let holding = holding(shop.address, 4, count, Rc::clone(orders), signers);
        run(Duration::from_secs(20), holding)
    }

    #[test]
    fn as_many_holds_are_made_as_wanted_and_each_document_is_read() {
        let orders = belt(["named"], 30);
        let held = held(&orders, 20).unwrap();
        assert_eq!((held.len(), orders.len()), (20, 10));
        for held in held {
            assert_eq!((held.desk, held.dispense), (0, Uuid::from_u128(7)));
            assert_eq!(held.document, b"{\"page\":1}");
        }
    }

    #[test]
    fn where_orders_run_out_there_are_fewer_holds() {
        assert_eq!(held(&belt(["named"], 3), 20).unwrap().len(), 3);
    }

    #[test]
    fn a_hold_that_is_refused_is_told_of() {
        let error = held(&belt(["refuse"], 1), 1).unwrap_err().to_string();
        assert_eq!(error, "expected a 201, found a 422: {\"code\":\"no\"}");
    }
}

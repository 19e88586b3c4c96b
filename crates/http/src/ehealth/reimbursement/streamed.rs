//! A report of any length, sent portion by portion: the next one is read when the one before is gone, so
//! that whoever reads slowly holds up nobody else, and whoever goes away ends it. If the database fails in
//! between, the answer breaks off: nobody is to take a part for the whole.

use std::pin::Pin;

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use dispensary::access::Looked;
use dispensary::reimbursement::{Reimbursed, ReimbursementAsked};
use dispensary::{Asker, Model, Unavailable};
use futures::stream::{BoxStream, Peekable};
use futures::{Stream, StreamExt, stream};

use super::columns::{self, COLUMNS};
use super::row::Row;
use crate::access::Seen;
use crate::csv;
use crate::ehealth::envelope;
use crate::ehealth::refused::Refused;
use crate::ndp::events::readers::Place;
use crate::positions::told;
use crate::problem::Problem;
use crate::{Door, catalogue};

/// Why a report breaks off.
type Broken = Box<dyn std::error::Error>;

/// The dispenses, portion by portion, of which the first was read.
type Portions = Peekable<BoxStream<'static, Result<Vec<Reimbursed>, Unavailable>>>;

/// A report that can begin.
struct Begun {
    response: HttpResponseBuilder,
    portions: Portions,
    place: Place,
}

/// Reads the first portion: what goes wrong before that is answered as always.
async fn begin(
    request: &HttpRequest,
    door: &Door,
    asker: &Asker,
    wanted: ReimbursementAsked,
) -> Result<Begun, Refused> {
    let place = door.readers.take()?;
    // Before the rows: each portion is as new as it can be, and none is older than this.
    let positions = door.read_by(Model::Dispenses).await?;
    let mut portions = door.dispensary.reimbursements(wanted).peekable();
    if let Some(Err(silent)) = Pin::new(&mut portions).peek().await {
        return Err(Problem::from(silent).into());
    }
    // It names no patient, and may be of millions: that it was read is recorded.
    door.saw(request, asker, Seen::nothing(Looked::Report)).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header(told(&positions)).insert_header((VARY, ACCEPT.as_str()));
    Ok(Begun { response, portions, place })
}

/// The report as a table, to be kept under that name.
pub(super) async fn table(
    request: &HttpRequest,
    door: &Door,
    asker: &Asker,
    wanted: ReimbursementAsked,
    name: Option<String>,
) -> Result<HttpResponse, Refused> {
    let Begun { mut response, portions, place } = begin(request, door, asker, wanted).await?;
    if let Some(name) = name {
        response
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")));
    }
    let headers = stream::iter([csv::headers(COLUMNS).map_err(Broken::from)]);
    let lines = sent(door, portions, place, |rows| {
        csv::lines(rows.iter().flat_map(columns::of)).map_err(Broken::from)
    });
    Ok(response.content_type(csv::CONTENT_TYPE).streaming(headers.chain(lines)))
}

/// The report as a list in the envelope.
pub(super) async fn list(
    request: &HttpRequest,
    door: &Door,
    asker: &Asker,
    wanted: ReimbursementAsked,
) -> Result<HttpResponse, Refused> {
    let Begun { mut response, portions, place } = begin(request, door, asker, wanted).await?;
    let head = envelope::head_of_list(request)
        .map_err(|error| Problem::of(&catalogue::BUG).caused_by(&error))?;
    let mut separator: &[u8] = b"";
    let rows = sent(door, portions, place, move |rows| {
        let mut piece = Vec::new();
        for row in rows {
            piece.extend_from_slice(std::mem::replace(&mut separator, b","));
            serde_json::to_writer(&mut piece, &Row::from(row))?;
        }
        Ok(piece.into())
    });
    let (head, end) = (stream::iter([Ok(head)]), stream::iter([Ok(envelope::END_OF_LIST)]));
    Ok(response.content_type("application/json").streaming(head.chain(rows).chain(end)))
}

/// What is sent: each portion as it is written, until the service stops.
fn sent<W>(
    door: &Door,
    portions: Portions,
    place: Place,
    mut written: W,
) -> impl Stream<Item = Result<Bytes, Broken>> + use<W>
where
    W: FnMut(&[Reimbursed]) -> Result<Bytes, Broken>,
{
    let closing = door.readers.closing();
    portions.map(move |portion| {
        let _taken = &place;
        if closing.is_cancelled() {
            return Err("the service stops".into());
        }
        // The answer has begun; what is left is to say why it ends.
        let portion = portion.inspect_err(|silent| Problem::from(silent).log())?;
        written(&portion)
    })
}

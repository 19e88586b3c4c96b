//! What can be asked.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    Digest, DispenseId, DivisionId, LegalEntityId, LongText, MedicalProgramId, MedicationId,
    MedicationRequestId, Money, ProgramMedicationId, Quantity, SignatureFault, SignedContent,
    Signer, StoredContent, Text, UserId,
};

/// A wish that [`crate::decide()`] grants or refuses.
#[derive(Debug, Clone)]
pub enum Command {
    /// Hold medication, or record it as handed over at once where the program needs no signature.
    CreateHold(Arc<CreateHold>),
    /// Hand medication over, signed for.
    Process(Arc<Process>),
    /// Give a hold back.
    Cancel(Cancel),
    /// Record the end of a hold that ran out.
    Expire(Expire),
}

/// Hold medication of one medication request.
#[derive(Debug, Clone)]
pub struct CreateHold {
    /// Derived from request, client and key: [`DispenseId::asked_for`].
    pub dispense_id: DispenseId,
    /// The medication request to dispense from.
    pub medication_request_id: MedicationRequestId,
    /// Who asks.
    pub user: UserId,
    /// For which legal entity.
    pub client: LegalEntityId,
    /// The outlet.
    pub division_id: DivisionId,
    /// Who pays; none means outside any program.
    pub medical_program_id: Option<MedicalProgramId>,
    /// Day of dispensing, as stated by the pharmacy.
    pub dispensed_on: NaiveDate,
    /// How far the stated day is believed.
    pub dispense_day: DispenseDay,
    /// Name of the pharmacist, where an owner's account is used.
    pub dispensed_by: Option<Text>,
    /// The code that the patient got.
    pub verification_code: Option<Text>,
    /// When that code is judged.
    pub code_turn: CodeTurn,
    /// What is dispensed; at least one.
    pub items: Vec<NewItem>,
    /// Which prices an item must state.
    pub prices: Prices,
    /// Free text.
    pub note: Option<LongText>,
    /// Receipt number; only without signature.
    pub payment_id: Stated<Text>,
    /// What the patient paid; only without signature.
    pub payment_amount: Stated<Money>,
    /// Digest of client and idempotency key.
    pub key_digest: Digest,
}

/// How far the stated day of dispensing is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispenseDay {
    /// Not after today, nor before the medication request was made.
    Bounded,
    /// As stated; the register's API never looked.
    AsStated,
}

/// When a verification code is judged. It is a secret of four digits, so every judgement that is
/// heard is a chance to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeTurn {
    /// Only if all else is in order.
    Last,
    /// In its place among the rules, if all before it are kept: as the register's API does.
    InPlace,
}

/// Which prices an item must state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prices {
    /// Those that the door asked for; the rules ask for no more.
    AsStated,
    /// All of them, unless the program is funded by somebody else than the payer.
    UnlessFundedElsewhere,
}

/// A member of a body whose mere presence matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stated<T> {
    /// Not there.
    Absent,
    /// There, as null.
    Null,
    /// There, with a value.
    Value(T),
}

impl<T> Stated<T> {
    /// Whether the member is there, be it null.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Its value, where it has one.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

/// One medication that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    /// The brand.
    pub medication_id: MedicationId,
    /// How much of it.
    pub quantity: Quantity,
    /// Price of one unit that cannot be divided.
    pub unit_price: Option<Money>,
    /// What the pharmacy asks for the line.
    pub total_price: Option<Money>,
    /// The part of it that the program pays.
    pub discount_amount: Option<Money>,
    /// The participant, where the pharmacy names one.
    pub program_medication_id: Option<ProgramMedicationId>,
    /// Batch, as printed on the package.
    pub batch_number: Option<Text>,
    /// Last day on which the medicine may be used.
    pub expiry_date: Option<NaiveDate>,
    /// Codes read from the packages. Left out where there are none, as in every question that was
    /// asked before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub medication_2d_codes: Vec<Text>,
}

impl CreateHold {
    /// What makes two questions the same: everything asked for but the verification code, in one
    /// fixed form whatever the API.
    #[must_use]
    pub fn request_digest(&self) -> Digest {
        let asked = (
            "create",
            self.medication_request_id,
            self.division_id,
            self.medical_program_id,
            self.dispensed_on,
            &self.dispensed_by,
            &self.items,
            &self.note,
            self.payment_id.value(),
            self.payment_amount.value(),
        );
        digest_of(&asked)
    }
}

/// Hand medication over, signed for.
#[derive(Debug, Clone)]
pub struct Process {
    /// Which hold.
    pub dispense_id: DispenseId,
    /// Who asks.
    pub user: UserId,
    /// For which legal entity.
    pub client: LegalEntityId,
    /// Whether the asker may act for others: only the payer may.
    pub reach: Reach,
    /// The outlet of the hold: what registries say of it is judged.
    pub division_id: DivisionId,
    /// The program of the hold: what it asks of the outlet is judged.
    pub medical_program_id: Option<MedicalProgramId>,
    /// Who signed, or what is wrong with the signature.
    pub signature: Result<Signer, SignatureFault>,
    /// What was signed; none where nothing could be taken out of the container.
    pub content: Option<SignedContent>,
    /// Where the container is kept.
    pub stored: StoredContent,
    /// Digest of client and idempotency key.
    pub key_digest: Digest,
}

impl Process {
    /// As [`CreateHold::request_digest`]: of the document, not of the container, because signatures
    /// of one document differ each time.
    #[must_use]
    pub fn request_digest(&self) -> Digest {
        digest_of(&("process", self.dispense_id, self.content.as_ref().map(|it| it.digest)))
    }
}

/// Give a hold back.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// Which one.
    pub dispense_id: DispenseId,
    /// Who asks.
    pub user: UserId,
    /// For which legal entity.
    pub client: LegalEntityId,
    /// Whether the asker may cancel for others: only the payer may.
    pub reach: Reach,
    /// Free text.
    pub reason: Option<LongText>,
    /// Receipt number.
    pub payment_id: Option<Text>,
    /// Digest of client and idempotency key.
    pub key_digest: Digest,
}

/// Whose dispenses an asker can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of its own legal entity; others do not exist for it (D-10).
    Own,
    /// Everybody's.
    All,
}

impl Cancel {
    /// As [`CreateHold::request_digest`].
    #[must_use]
    pub fn request_digest(&self) -> Digest {
        digest_of(&("cancel", self.dispense_id, &self.reason, &self.payment_id))
    }
}

/// Record the end of every hold that ran out.
#[derive(Debug, Clone, Copy)]
pub struct Expire;

/// Serialising plain data to JSON cannot fail; a digest of nothing would merely refuse replays.
fn digest_of(asked: &impl Serialize) -> Digest {
    Digest::of(&[&serde_json::to_vec(asked).unwrap_or_default()])
}

/// The digest under which an idempotency key is kept: of the client and the key, so that two
/// clients with one key never meet.
#[must_use]
pub fn key_digest(client: LegalEntityId, key: &str) -> Digest {
    Digest::of(&[client.uuid().as_bytes(), key.as_bytes()])
}

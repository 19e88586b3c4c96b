//! Rule 15f: the discount that the program is asked to pay.

use rust_decimal::Decimal;

use super::{Case, each};
use crate::decide::table::Judgement;
use crate::registry::{Channel, ProgramMedication};
use crate::{Code, Member, Money, Quantity, Refusal, Terms};

/// Rule 15f: the discount of each item lies within what the program pays for it (6.2, 6.4). Items
/// are not pooled. Under a program that the payer does not fund, an item without a discount is not
/// judged; elsewhere a discount that is not stated is none, which is 0.
pub(super) fn within_bounds(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let program = evidence.program.as_ref()?;
    each(case, |line| {
        let medication = line.known()?;
        let participant = line.participant()?;
        let discount = match line.wanted.discount_amount {
            None if program.is_funded_elsewhere() => return None,
            stated => stated.unwrap_or(Money::ZERO),
        };
        let refusal = || {
            Refusal::of(Code::DiscountOutOfBounds)
                .at(line.at(Member::DiscountAmount))
                .with("actual", discount)
        };
        match participant.reimbursement.channel() {
            Channel::Fixed => {
                let bounds = Bounds::of(
                    participant,
                    medication.whole_package()?,
                    line.wanted.quantity,
                    &evidence.terms,
                );
                (!bounds.include(discount)).then(|| bounds.explain(refusal()))
            }
            Channel::SetElsewhere => {
                let most = line.wanted.total_price?;
                (discount > most).then(|| refusal().with("least", 0).with("most", most))
            }
        }
    })
}

/// Both bounds of a discount, each times the units of a package: nothing is ever divided, so
/// nothing is ever rounded (6.5).
struct Bounds {
    reimbursement: Money,
    package: Quantity,
    least: Decimal,
    most: Decimal,
}

impl Bounds {
    /// The factors have at most 16 digits before and 10 after the point together, so no product
    /// leaves the 28 in which decimals are exact.
    fn of(
        participant: &ProgramMedication,
        package: Quantity,
        quantity: Quantity,
        terms: &Terms,
    ) -> Self {
        let reimbursement = participant.reimbursement.reimbursement_amount;
        let paid = reimbursement.decimal() * quantity.decimal();
        Self {
            reimbursement,
            package,
            least: paid * (Decimal::ONE - terms.deviation.decimal()),
            most: paid + terms.tolerance.decimal() * package.decimal(),
        }
    }

    fn include(&self, discount: Money) -> bool {
        let discount = discount.decimal() * self.package.decimal();
        self.least <= discount && discount <= self.most
    }

    /// Names the bounds as a pharmacy can state them: rounded inwards, to the finest amount of money
    /// that there is.
    fn explain(&self, refusal: Refusal) -> Refusal {
        use rust_decimal::RoundingStrategy::{ToPositiveInfinity, ToZero};
        let stated = |bound: Decimal, rounding| {
            let amount = bound.checked_div(self.package.decimal()).unwrap_or_default();
            amount.round_dp_with_strategy(Money::SCALE, rounding).normalize()
        };
        refusal
            .with("least", stated(self.least, ToPositiveInfinity))
            .with("most", stated(self.most, ToZero))
            .with("reimbursementAmount", self.reimbursement)
            .with("packageQty", self.package)
    }
}

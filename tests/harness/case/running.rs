//! Running services that cases share: they have nothing in common but what decides.

use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use super::super::{Database, Instance};

/// What a service decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switches {
    /// As in the register's own cases: outlets must be confirmed by the regulator.
    Usual,
    /// Outlets must provide the program, too.
    Provisions,
    /// Companies must be verified by the payer, too.
    VerifiedByPayer,
    /// Parts may be dispensed outside any program, too.
    PartsWithoutProgram,
    /// A discount has neither deviation nor tolerance, too.
    Exact,
    /// Nothing is switched on, as an installation is by default.
    Default,
}

/// The services, for as long as some case uses them.
static SHARED: [Mutex<Weak<Running>>; 6] = [const { Mutex::const_new(Weak::new()) }; 6];

impl Switches {
    /// As settings.
    fn settings(self) -> Vec<(&'static str, &'static str)> {
        let verified = ("DISPENSE_DIVISION_DLS_VERIFY", "true");
        match self {
            Self::Usual => vec![verified],
            Self::Provisions => vec![verified, ("MEDICAL_PROGRAM_PROVISION_VERIFY", "true")],
            Self::VerifiedByPayer => vec![verified, ("LEGAL_ENTITY_NHS_VERIFY", "true")],
            Self::PartsWithoutProgram => {
                vec![verified, ("MULTI_DISPENSE_WITHOUT_PROGRAM", "true")]
            }
            Self::Exact => vec![verified, ("DEVIATION", "0"), ("TOLERANCE", "0")],
            Self::Default => Vec::new(),
        }
    }
}

/// A service on a database of its own.
pub(crate) struct Running {
    /// To look into where no other case uses it: its connections belong to the test that made it.
    pub(crate) database: Database,
    pub(crate) instance: Instance,
}

impl Running {
    /// One that no other case uses.
    pub(crate) async fn alone(switches: Switches) -> Arc<Self> {
        let database = Database::new().await;
        let instance = Instance::start_with(&database, &switches.settings()).await;
        Arc::new(Self { database, instance })
    }
}

/// The service with these switches that cases share. It ends with the last case that uses it.
pub(super) async fn shared(switches: Switches) -> Arc<Running> {
    let mut shared = SHARED[switches as usize].lock().await;
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let running = Running::alone(switches).await;
    *shared = Arc::downgrade(&running);
    running
}

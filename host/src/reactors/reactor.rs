//! A reactor as Postgres keeps it.

use uuid::Uuid;

use super::state::Work;
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::sql_number,
    read_model::{Identifier, TableDeclaration},
    subscriptions::SubscriptionId,
};

/// The key of a reactor, unique in its database, and the key of its subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReactorId(pub i64);

impl ReactorId {
    /// The schema that holds its rows.
    #[must_use]
    pub fn schema(self) -> Identifier {
        // `reactor_` and digits are an identifier.
        Identifier::new(format!("reactor_{}", self.0.unsigned_abs())).unwrap_or_else(|_| unreachable!("it is valid"))
    }

    /// Its subscription.
    #[must_use]
    pub fn subscription(self) -> SubscriptionId {
        SubscriptionId(self.0)
    }
}

impl From<SubscriptionId> for ReactorId {
    fn from(subscription: SubscriptionId) -> Self {
        Self(subscription.0)
    }
}

impl From<i64> for ReactorId {
    fn from(key: i64) -> Self {
        Self(key)
    }
}

impl From<ReactorId> for i64 {
    fn from(reactor: ReactorId) -> Self {
        reactor.0
    }
}

sql_number!(ReactorId(i64) as i64);

/// A reactor as Postgres keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reactor {
    /// Its key.
    pub id: ReactorId,
    /// Its name, that of its module.
    pub name: Identifier,
    /// The version that works.
    pub version: ModuleVersion,
    /// What the ids of all that it does are made of, see [`effect_id`](crate::runtime::effect_id).
    pub lineage: Uuid,
    /// The upcasters that its events go through: those that were active when its version began to work, or when a later change of the upcasters
    /// concerned what it reads.
    pub upcasters: Vec<(Identifier, ModuleVersion)>,
    /// The position behind which it began.
    pub began_after: Position,
    /// The tables in its schema: those of its version, and what earlier ones have left.
    pub tables: Vec<TableDeclaration>,
    /// Whether it is worked on.
    pub work: Work,
}

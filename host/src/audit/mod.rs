//! Who does what is done now: the actor.
//!
//! What makes a change in the database asks for it where the change is noted, however many calls lie between: none of the rooms on the way has
//! anything to do with it. What the host does by itself has none.

use std::net::IpAddr;

tokio::task_local! {
    /// Who has asked for what the current task does.
    static CURRENT: Actor;
}

/// Who has asked for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who it is: `token app`.
    pub who: String,
    /// Where the request came from: the address of the connection, so that of a proxy if there is one.
    pub address: Option<IpAddr>,
    /// The id of the request, under which the log has more.
    pub request_id: String,
}

impl Actor {
    /// Who has asked for what the current task does; `None` if the host does it by itself.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// The three columns of the history that say who has asked for what the current task does: who, the address, and the id of the request.
    #[must_use]
    pub(crate) fn in_history() -> [Option<String>; 3] {
        match Self::current() {
            Some(Self { who, address, request_id }) => {
                [Some(who), address.map(|address| address.to_string()), Some(request_id)]
            }
            None => [None, None, None],
        }
    }

    /// Runs what the actor has asked for.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_actor_is_that_of_the_scope() {
        let actor = Actor { who: "token app".to_owned(), address: None, request_id: "1".to_owned() };
        assert_eq!(actor.clone().scope(async { Actor::current() }).await, Some(actor));
        assert_eq!(Actor::current(), None);
    }
}

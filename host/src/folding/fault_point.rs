//! Panics that tests cause in the code of the host, by the data of an event.

use crate::runtime::Delivery;

/// Where a panic is caused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FaultPoint {
    /// In the task of the worker.
    WorkerTask,
    /// On the thread that runs the module.
    FoldingThread,
}

impl FaultPoint {
    /// The word in an event's data that causes a panic here.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::WorkerTask => "panic in the worker task",
            Self::FoldingThread => "panic on the folding thread",
        }
    }

    /// Panics if an event asks for it.
    pub(crate) fn pass<'e>(self, mut events: impl Iterator<Item = &'e Delivery>) {
        if let Some(event) = events.find(|event| event.data.contains(self.word())) {
            panic!("the event at position {} asks for a {}", event.position, self.word());
        }
    }
}

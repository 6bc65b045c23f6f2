//! The text of an answer, in pieces, so that it is never copied to grow, and is let go as it is sent.

use std::time::Duration;

use bytes::Bytes;

use super::{
    budget::{ByteBudget, Reserved},
    error::ReadError,
};

/// The bytes of a piece, unless a row is larger.
const PIECE: usize = 64 * 1024;
/// How long an answer waits until others are sent.
const WAIT: Duration = Duration::from_secs(2);

/// The text of an answer.
#[derive(Debug, Default)]
pub struct AnswerBody {
    pieces: Vec<Bytes>,
    bytes: usize,
}

impl AnswerBody {
    /// A text that is in memory already. Until it is sent it counts in the budget like any other: the cache may have dropped it by then.
    ///
    /// # Errors
    /// The answers of this host take all the memory that they may have.
    pub(super) async fn kept(budget: &ByteBudget, text: Bytes) -> Result<Self, ReadError> {
        let bytes = text.len();
        let pieces = vec![reserve(budget, bytes).await?.hold(text)];
        Ok(Self { pieces, bytes })
    }

    /// The whole text once more, in one piece that counts in no budget.
    pub(super) fn copied(&self) -> Bytes {
        self.pieces.concat().into()
    }

    /// The bytes of all pieces.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The pieces, in their order.
    #[must_use]
    pub fn into_pieces(self) -> Vec<Bytes> {
        self.pieces
    }

    /// The whole text.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.pieces.concat()).unwrap()
    }
}

/// Writes the text of an answer.
pub(super) struct BodyWriter<'b> {
    budget: &'b ByteBudget,
    done: AnswerBody,
    open: Option<(Vec<u8>, Reserved)>,
}

impl<'b> BodyWriter<'b> {
    pub(super) fn new(budget: &'b ByteBudget) -> Self {
        Self { budget, done: AnswerBody::default(), open: None }
    }

    /// The bytes that were written.
    pub(super) fn bytes(&self) -> usize {
        self.done.bytes
    }

    /// Writes a text.
    ///
    /// # Errors
    /// The answers of this host take all the memory that they may have.
    pub(super) async fn write(&mut self, text: &str) -> Result<(), ReadError> {
        if self.open.as_ref().is_none_or(|(piece, _)| piece.len() + text.len() > piece.capacity()) {
            self.close();
            let bytes = PIECE.max(text.len());
            let reserved = reserve(self.budget, bytes).await?;
            self.open = Some((Vec::with_capacity(bytes), reserved));
        }
        if let Some((piece, _)) = &mut self.open {
            piece.extend_from_slice(text.as_bytes());
        }
        self.done.bytes += text.len();
        Ok(())
    }

    fn close(&mut self) {
        if let Some((mut piece, mut reserved)) = self.open.take() {
            piece.shrink_to_fit();
            reserved.shrink(piece.len());
            self.done.pieces.push(reserved.hold(piece));
        }
    }

    /// The text.
    pub(super) fn finish(mut self) -> AnswerBody {
        self.close();
        self.done
    }
}

async fn reserve(budget: &ByteBudget, bytes: usize) -> Result<Reserved, ReadError> {
    tokio::time::timeout(WAIT, budget.reserve(bytes)).await.map_err(|_| ReadError::TooMuchToSend)
}

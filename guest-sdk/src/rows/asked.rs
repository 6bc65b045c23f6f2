//! The rows that events ask for, in their order.

/// The slots of the rows that were wanted of a table before events are handled. The events mostly ask for them in the same order, and to
/// compare one key costs less than to look it up.
#[derive(Default)]
pub(super) struct Asked {
    slots: Vec<usize>,
    next: usize,
}

/// How many of those behind the next are looked through for one that was found otherwise: so many were wanted for nothing.
const AHEAD: usize = 8;

impl Asked {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.next = 0;
    }

    /// Adds the slot of a row that is wanted.
    pub(super) fn want(&mut self, slot: usize) {
        self.slots.push(slot);
    }

    /// The slots of all rows that are wanted.
    pub(super) fn slots(&self) -> &[usize] {
        &self.slots
    }

    /// The slot that is likely to be asked for now, if it is the right one: the next, or again the one before.
    #[inline]
    pub(super) fn find(&mut self, is_right: impl Fn(usize) -> bool) -> Option<usize> {
        if let Some(&next) = self.slots.get(self.next)
            && is_right(next)
        {
            self.next += 1;
            return Some(next);
        }
        let before = *self.slots.get(self.next.checked_sub(1)?)?;
        is_right(before).then_some(before)
    }

    /// Goes on behind a slot that was looked up, if it is one of the next.
    pub(super) fn found(&mut self, slot: usize) {
        let ahead = self.slots.iter().skip(self.next).take(AHEAD);
        if let Some(passed) = { ahead }.position(|&next| next == slot) {
            self.next += passed + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_in_order_is_found_and_what_is_left_out_is_passed_over() {
        let mut asked = Asked::default();
        assert_eq!(asked.find(|_| true), None);
        [7, 8, 9, 7, 5].into_iter().for_each(|slot| asked.want(slot));
        let mut find = |wanted: usize| {
            let found = asked.find(|slot| slot == wanted);
            if found.is_none() {
                asked.found(wanted);
            }
            found
        };
        assert_eq!([7, 7, 8].map(&mut find), [Some(7), Some(7), Some(8)]);
        // 9 is not asked for, and 3 was not wanted.
        assert_eq!([7, 3, 5, 5, 8].map(&mut find), [None, None, Some(5), Some(5), None]);
        asked.clear();
        assert_eq!(asked.find(|slot| slot == 5), None);
    }
}

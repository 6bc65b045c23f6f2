use std::pin::pin;

use futures_util::{FutureExt as _, future::join_all};

use super::*;
use crate::{
    event_log::{NameFilter, tests::TestLog},
    subscriptions::tests::{EVENTS, log},
};

const SIZE: PageSize = PageSize { events: 8192, bytes: usize::MAX };

fn of_types(types: &[&str]) -> Filter {
    Filter { types: NameFilter::only(types.iter().copied()), ..Filter::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_has_read_the_others_find() {
    let test = log().await;
    let shared = SharedPieces::default();
    let readers = [(); 3].map(|()| shared.join(&Filter::default()));
    let all = join_all(readers.iter().map(|reader| reader.next(&test.log, Position(0), SIZE, true))).await;
    let pieces: Vec<SharedPiece> = all.into_iter().map(Result::unwrap).collect();
    assert!(pieces.iter().all(|found| Arc::ptr_eq(&found.piece, &pieces[0].piece)));
    // Also one that begins within it, and one that wants less.
    let less = shared.join(&of_types(&["Even"]));
    for reader in [&readers[0], &less] {
        let found = reader.next(&test.log, Position(5000), SIZE, true).await.unwrap();
        assert!(Arc::ptr_eq(&found.piece, &pieces[0].piece));
    }
    // Who wants little of the log reads that alone.
    let found = shared.join(&of_types(&["Rare"])).next(&test.log, Position(0), SIZE, false).await.unwrap();
    assert_eq!((found.piece.events.len() as u64, *found.filter == of_types(&["Rare"])), (EVENTS / 1000, true));
    drop((readers, less));
    let state = shared.state();
    assert_eq!((state.kept.len(), state.bytes), (0, 0));
}

#[test]
fn builds_near_each_other_read_what_all_of_them_want() {
    let shared = SharedPieces::default();
    let [even, fourth, rare, far] =
        [&["Even"][..], &["Fourth"], &["Rare"], &["Other"]].map(|types| shared.join(&of_types(types)));
    let wanted = |reader: &SharedReader, at, is_dense| match reader.choose(Position(at), SIZE, is_dense, 0) {
        Next::Read(filter) => {
            drop(EndOfRead(reader));
            filter.types.names().unwrap().to_vec()
        }
        _ => panic!("nobody has read"),
    };
    assert_eq!(wanted(&even, 1000, true), ["Even"]);
    assert_eq!(wanted(&rare, 1000, false), ["Rare"]);
    assert_eq!(wanted(&far, 1000 + 2 * NEAR, true), ["Other"]);
    assert_eq!(wanted(&fourth, 2000, true), ["Fourth", "Even"]);
    drop(even);
    assert_eq!(wanted(&fourth, 2000, true), ["Fourth"]);
}

/// A build that stops in the middle of a read keeps no other waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_does_not_end_is_done_again() {
    let test = log().await;
    let shared = SharedPieces::default();
    let [first, second] = [(); 2].map(|()| shared.join(&Filter::default()));
    assert!(matches!(first.choose(Position(0), SIZE, true, 0), Next::Read(_)));
    let end = EndOfRead(&first);
    let mut waiting = pin!(second.next(&test.log, Position(100), SIZE, true));
    assert!(waiting.as_mut().now_or_never().is_none());
    assert!(shared.state().under_way.contains_key(&first.number) && shared.state().under_way.len() == 1);
    drop(end);
    let found = waiting.await.unwrap();
    assert_eq!((found.piece.after, found.piece.to), (Position(100), Position(8292)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_restore_is_not_found_after_it() {
    let test = log().await;
    let shared = SharedPieces::default();
    let reader = shared.join(&Filter::default());
    reader.next(&test.log, Position(0), SIZE, true).await.unwrap();
    assert!(matches!(reader.choose(Position(0), SIZE, true, 0), Next::Found(_)));
    assert!(matches!(reader.choose(Position(0), SIZE, true, 1), Next::Read(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_to_read_forgets_what_was_read() {
    let test = log().await;
    let shared = SharedPieces::default();
    let [first, second] = [(); 2].map(|()| shared.join(&Filter::default()));
    first.next(&test.log, Position(0), SIZE, true).await.unwrap();
    test.pool.close().await;
    // It is still there, and the next one is not.
    second.next(&test.log, Position(0), SIZE, true).await.unwrap();
    second.next(&test.log, Position(8192), SIZE, true).await.unwrap_err();
    assert!(shared.state().kept.is_empty() && shared.state().under_way.is_empty());
}

async fn bytes_of_one(test: &TestLog) -> usize {
    let shared = SharedPieces::default();
    let reader = shared.join(&Filter::default());
    reader.next(&test.log, Position(0), SIZE, true).await.unwrap().piece.bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_others_is_bounded() {
    let test = log().await;
    let shared = SharedPieces::new(bytes_of_one(&test).await * 3 / 2);
    let reader = shared.join(&Filter::default());
    for after in [0, 8192, 16_384] {
        reader.next(&test.log, Position(after), SIZE, true).await.unwrap();
    }
    let state = shared.state();
    let kept: Vec<u64> = state.kept.iter().map(|kept| kept.piece.after.0).collect();
    assert_eq!((kept, state.bytes), (vec![8192, 16_384], state.kept.iter().map(|kept| kept.piece.bytes).sum()));
}

/// Pieces that take so much memory, for which readers wait for so long.
fn pieces(max_bytes: usize, wait_for_others: Duration) -> SharedPieces {
    let Shared { state, changed, .. } = Arc::into_inner(SharedPieces::new(max_bytes).0).unwrap();
    SharedPieces(Arc::new(Shared { state, changed, max_bytes, wait_for_others }))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_ahead_waits_for_others() {
    let test = log().await;
    let shared = pieces(bytes_of_one(&test).await / 2, Duration::from_hours(1));
    let [ahead, behind] = [(); 2].map(|()| shared.join(&Filter::default()));
    let few = PageSize { events: 100, ..SIZE };
    behind.next(&test.log, Position(0), few, true).await.unwrap();
    ahead.next(&test.log, Position(100), SIZE, true).await.unwrap();
    let mut waiting = pin!(ahead.next(&test.log, Position(8292), SIZE, true));
    assert!(waiting.as_mut().now_or_never().is_none() && shared.state().under_way.is_empty());
    // It comes, and to what is not read yet.
    let found = behind.next(&test.log, Position(100), SIZE, true).await.unwrap();
    assert_eq!((found.piece.after, found.piece.to), (Position(100), Position(8292)));
    let read = tokio::join!(waiting, behind.next(&test.log, Position(8292), SIZE, true));
    assert!(Arc::ptr_eq(&read.0.unwrap().piece, &read.1.unwrap().piece));
    // Nobody waits for one that reads for itself.
    ahead.next(&test.log, Position(16_484), SIZE, true).await.unwrap();
    behind.step_aside();
    ahead.next(&test.log, Position(24_676), SIZE, true).await.unwrap();
    ahead.step_aside();
    assert!(shared.state().kept.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_long_for_one_that_stands_still() {
    let test = log().await;
    let shared = pieces(bytes_of_one(&test).await / 2, Duration::from_millis(1));
    let [ahead, behind] = [(); 2].map(|()| shared.join(&Filter::default()));
    for reader in [&ahead, &behind] {
        reader.next(&test.log, Position(0), SIZE, true).await.unwrap();
    }
    for after in [8192, 16_384] {
        ahead.next(&test.log, Position(after), SIZE, true).await.unwrap();
    }
    assert!(shared.state().readers[&behind.number].is_away);
    // It reads for itself, and is waited for again.
    let found = behind.next(&test.log, Position(10), SIZE, true).await.unwrap();
    assert_eq!(found.piece.after, Position(10));
    assert!(!shared.state().readers[&behind.number].is_away);
}

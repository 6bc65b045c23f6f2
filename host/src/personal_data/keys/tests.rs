//! Both stores keep the same promises.

use std::os::unix::fs::PermissionsExt as _;

use futures_util::future::join_all;

use super::*;
use crate::postgres::test_database::TestDatabase;

fn subjects<const N: usize>(names: [&str; N]) -> HashSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn ids(keys: &HashMap<String, Arc<SubjectKey>>) -> HashMap<String, Uuid> {
    keys.iter().map(|(subject, key)| (subject.clone(), key.id())).collect()
}

/// What a store promises; `again` opens it once more, as another host does.
async fn keeps_keys(keys: Keys, again: impl AsyncFnOnce(Keys) -> Keys) {
    let made = ids(&keys.of_subjects(subjects(["a", "b", "c"])).await.unwrap());
    assert_eq!(made.values().collect::<HashSet<_>>().len(), 3);
    let keys = again(keys).await;
    assert_eq!(ids(&keys.of_subjects(subjects(["a", "b", "c"])).await.unwrap()), made);
    let all = || made.values().copied().chain([Uuid::nil()]).collect::<HashSet<_>>();
    let found = keys.of_ids(all()).await.unwrap();
    assert_eq!(found.len(), 3, "one is not known");
    assert!(found.values().all(|key| matches!(key, FoundKey::Key(_))));

    let forgotten = made["b"];
    assert_eq!(keys.ids_of("b").await.unwrap(), [forgotten]);
    assert!(keys.ids_of("nobody").await.unwrap().is_empty());
    for _ in 0..2 {
        keys.destroy(vec![forgotten, Uuid::nil()]).await.unwrap();
    }
    assert!(keys.ids_of("b").await.unwrap().is_empty());
    // Who comes back gets another key, and the old one stays destroyed.
    let back = ids(&keys.of_subjects(subjects(["a", "b"])).await.unwrap());
    assert!(back["a"] == made["a"] && back["b"] != forgotten);
    let keys = again_checks(keys, &made, &back).await;
    drop(keys);
}

async fn again_checks(keys: Keys, made: &HashMap<String, Uuid>, back: &HashMap<String, Uuid>) -> Keys {
    let found = keys.of_ids(made.values().chain(back.values()).copied().collect()).await.unwrap();
    for (subject, id) in made {
        let is_destroyed = matches!(found[id], FoundKey::Destroyed);
        assert_eq!(is_destroyed, subject == "b");
    }
    assert!(matches!(found[&back["b"]], FoundKey::Key(_)));
    keys
}

#[tokio::test]
async fn a_database_keeps_keys() {
    let database = TestDatabase::create().await;
    let at = KeysAt::Postgres(Box::new(database.connect_options()));
    let keys = Keys::open(&at).await.unwrap();
    keeps_keys(keys, async |_| Keys::open(&at).await.unwrap()).await;
    // Nothing says whose the destroyed key was.
    let left: Vec<(Option<String>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT subject, key FROM gnomon_keys.subject_keys WHERE forgotten_at IS NOT NULL")
            .fetch_all(&database.pool().await)
            .await
            .unwrap();
    assert_eq!(left, [(None, None)]);
}

#[tokio::test]
async fn a_folder_keeps_keys() {
    let folder = tempfile::tempdir().unwrap();
    let at = KeysAt::Folder(folder.path().join("keys"));
    let keys = Keys::open(&at).await.unwrap();
    keeps_keys(keys, async |keys| {
        drop(keys);
        Keys::open(&at).await.unwrap()
    })
    .await;
    let mut empty = 0;
    for entry in std::fs::read_dir(folder.path().join("keys")).unwrap() {
        let metadata = entry.unwrap().metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        empty += u32::from(metadata.len() == 0);
    }
    assert_eq!(empty, 2, "the lock, and the destroyed key");
}

/// Two hosts that need keys for the same subjects at the same time find the same ones.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_agree_on_the_key_of_a_subject() {
    let database = TestDatabase::create().await;
    let at = KeysAt::Postgres(Box::new(database.connect_options()));
    let hosts = join_all((0..4).map(|_| async { Keys::open(&at).await.unwrap() })).await;
    let names: HashSet<String> = (0..50).map(|number| format!("customer-{number}")).collect();
    let found = join_all(hosts.iter().map(|host| host.of_subjects(names.clone()))).await;
    let found: Vec<_> = found.into_iter().map(|keys| ids(&keys.unwrap())).collect();
    assert!(found.iter().all(|keys| *keys == found[0]) && found[0].len() == 50);
}

#[tokio::test]
async fn a_database_with_a_log_is_refused() {
    let database = TestDatabase::create().await;
    crate::postgres::migrate(&database.pool().await).await.unwrap();
    let at = KeysAt::Postgres(Box::new(database.connect_options()));
    assert!(matches!(Keys::open(&at).await, Err(StartPersonalDataError::BesideALog)));
}

#[tokio::test]
async fn a_folder_is_for_one_host_and_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = KeysAt::Folder(folder.path().join("keys"));
    let keys = Keys::open(&at).await.unwrap();
    assert!(matches!(Keys::open(&at).await, Err(StartPersonalDataError::FolderInUse(_))));
    drop(keys);
    let open = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(folder.path().join("keys"), open).unwrap();
    assert!(matches!(Keys::open(&at).await, Err(StartPersonalDataError::OpenFolder(_))));
}

/// Whatever instant of its end a host is killed at, the key is there or destroyed.
#[tokio::test]
async fn a_key_that_was_half_made_or_half_destroyed_is_neither() {
    let folder = tempfile::tempdir().unwrap();
    let at = KeysAt::Folder(folder.path().to_owned());
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(folder.path().join(format!("{}.new", Uuid::from_u128(1).simple())), "{\"subj").unwrap();
    std::fs::write(folder.path().join(format!("{}.key", Uuid::from_u128(2).simple())), [0; 90]).unwrap();
    std::fs::write(folder.path().join(format!("{}.key", Uuid::from_u128(3).simple())), "{\"subject\":").unwrap();
    assert!(matches!(
        Keys::open(&at).await,
        Err(StartPersonalDataError::Store(KeyStoreError::DamagedKey(id))) if id == Uuid::from_u128(3)
    ));
    std::fs::remove_file(folder.path().join(format!("{}.key", Uuid::from_u128(3).simple()))).unwrap();
    let keys = Keys::open(&at).await.unwrap();
    let found = keys.of_ids([1, 2].map(Uuid::from_u128).into()).await.unwrap();
    assert!(found.len() == 1 && matches!(found[&Uuid::from_u128(2)], FoundKey::Destroyed));
    assert!(!folder.path().join(format!("{}.new", Uuid::from_u128(1).simple())).exists());
}

#[test]
fn a_store_is_a_database_or_a_folder() {
    let at = |text: &str| text.parse::<KeysAt>();
    assert!(matches!(at("file:/var/keys"), Ok(KeysAt::Folder(folder)) if folder.to_str() == Some("/var/keys")));
    assert_eq!(format!("{:?}", at("postgres://gnomon:secret@db/keys").unwrap()), "Postgres(…)");
    for text in ["", "file:", "/var/keys", "mysql://a/b"] {
        assert!(matches!(at(text), Err(StartPersonalDataError::NotAStore(_))), "{text}");
    }
}

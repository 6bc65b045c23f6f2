//! A projection of as many tables as a host allows, and a row with a key of as many columns.

use gnomon_sdk::{
    Tables,
    prelude::*,
    testing::{event, given, json},
};
use serde::Deserialize;

#[derive(Events)]
enum Counting {
    #[event("Counted")]
    Counted(Counted),
}

#[derive(Deserialize)]
struct Counted {
    by: i64,
}

/// Its key has sixteen columns.
#[derive(Table)]
#[table("long")]
struct Long {
    #[key]
    k01: i64,
    #[key]
    k02: i64,
    #[key]
    k03: i64,
    #[key]
    k04: i64,
    #[key]
    k05: i64,
    #[key]
    k06: i64,
    #[key]
    k07: i64,
    #[key]
    k08: i64,
    #[key]
    k09: i64,
    #[key]
    k10: i64,
    #[key]
    k11: i64,
    #[key]
    k12: i64,
    #[key]
    k13: i64,
    #[key]
    k14: i64,
    #[key]
    k15: i64,
    #[key]
    k16: i64,
    total: i64,
}

/// A table for each name, and the projection of these and of `Long`.
macro_rules! tables {
    ($($row:ident $table:literal)*) => {
        $(
            #[derive(Table)]
            #[table($table)]
            struct $row {
                #[key]
                id: i64,
                total: i64,
            }
        )*

        struct Many;

        impl Projection for Many {
            type Event = Counting;
            type Tables = (Long, $($row),*);

            fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
                let Counting::Counted(counted) = &event.data;
                $(rows.get_or_insert_with(1, || $row { id: 1, total: 0 }).total += counted.by;)*
                rows.get_or_insert_with(KEY, || long(0)).total += counted.by;
                Ok(())
            }

            fn prefetch(_: &Event<Counting>, prefetch: &mut Prefetch) {
                $(prefetch.want::<$row>(1);)*
                prefetch.want::<Long>(KEY);
            }
        }

        #[test]
        fn each_of_32_tables_has_its_rows() {
            assert_eq!(<Many as Projection>::Tables::schemas().len(), 32);
            let counted = |by: i64| event("counter-1", "Counted", json!({ "by": by }));
            given::<Many>([counted(1), counted(2)])
                .when([counted(4)])
                $(.then_rows([$row { id: 1, total: 7 }]))*
                .then_rows([long(7)])
                .then_all_prefetched();
        }
    };
}

const KEY: (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64) =
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);

fn long(total: i64) -> Long {
    let (k01, k02, k03, k04, k05, k06, k07, k08, k09, k10, k11, k12, k13, k14, k15, k16) = KEY;
    Long { k01, k02, k03, k04, k05, k06, k07, k08, k09, k10, k11, k12, k13, k14, k15, k16, total }
}

tables! {
    T01 "t01" T02 "t02" T03 "t03" T04 "t04" T05 "t05" T06 "t06" T07 "t07" T08 "t08"
    T09 "t09" T10 "t10" T11 "t11" T12 "t12" T13 "t13" T14 "t14" T15 "t15" T16 "t16"
    T17 "t17" T18 "t18" T19 "t19" T20 "t20" T21 "t21" T22 "t22" T23 "t23" T24 "t24"
    T25 "t25" T26 "t26" T27 "t27" T28 "t28" T29 "t29" T30 "t30" T31 "t31"
}

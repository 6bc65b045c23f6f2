//! Passes its host, at a trigger, a list that is small in the module's memory and huge in the host's: a million times the same
//! million cells.

#![cfg(target_family = "wasm")]

use guests::*;

#[allow(unsafe_code, reason = "no bindings make a list whose items share their memory")]
mod read_model {
    /// A list as the canonical ABI has it.
    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(super) struct List {
        pub(super) start: *const u8,
        pub(super) length: usize,
    }

    #[link(wasm_import_module = "gnomon:module/read-model@0.2.0")]
    unsafe extern "C" {
        #[link_name = "put-many"]
        safe fn put_many_raw(table: *const u8, table_length: usize, rows: *const List, rows_length: usize);
    }

    pub(super) fn put_many(table: &str, rows: &[List]) {
        put_many_raw(table.as_ptr(), table.len(), rows.as_ptr(), rows.len());
    }
}

/// Bytes of a cell in the canonical ABI; one of zeroes is null.
const CELL_BYTES: usize = 24;
const MILLION: usize = 1_000_000;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |_| {
            // The items of a list must be aligned to 8 bytes.
            let cells = vec![0_u64; MILLION * CELL_BYTES / 8];
            let row = read_model::List { start: cells.as_ptr().cast(), length: MILLION };
            read_model::put_many("notes", &vec![row; MILLION]);
            Ok(())
        })
    }
}

guest!(Module);

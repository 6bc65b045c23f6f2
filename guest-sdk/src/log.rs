//! Writes lines to the host's log.
//!
//! ```
//! use gnomon_sdk::prelude::*;
//!
//! log::warn!("{} events came late", 3);
//! ```
//!
//! The host adds module, version and position to each line. In native tests the lines are printed, so `cargo test` shows them for
//! tests that fail.

mod level;

use std::fmt;

pub use self::level::Level;
pub use crate::{
    __log_debug as debug, __log_error as error, __log_info as info, __log_trace as trace, __log_warn as warn,
};

/// Writes a line; the macros call this function.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    #[cfg(target_family = "wasm")]
    crate::bindings::imports::log(level, &message.to_string());
    #[cfg(not(target_family = "wasm"))]
    crate::testing::log(level, message);
}

/// Logs what helps to follow each step, formatted as by `format!`.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_trace {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Trace, ::core::format_args!($($message)+))
    };
}

/// Logs what helps to find a mistake, formatted as by `format!`.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_debug {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($message)+))
    };
}

/// Logs what an operator may want to know, formatted as by `format!`.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_info {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Info, ::core::format_args!($($message)+))
    };
}

/// Logs what an operator should look at, formatted as by `format!`.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_warn {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($message)+))
    };
}

/// Logs what went wrong, formatted as by `format!`.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_error {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Error, ::core::format_args!($($message)+))
    };
}

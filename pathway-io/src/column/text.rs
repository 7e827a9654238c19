//! `String`: all texts of a column in one arena.

//! JSON in the one form in which a column keeps it, with every digit of its numbers.

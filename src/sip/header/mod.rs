//! Typed views of single headers, one file each.

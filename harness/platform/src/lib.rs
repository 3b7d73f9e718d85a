//! Accounts on messaging platforms behind one trait.

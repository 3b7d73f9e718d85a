//! What is sent: text normal forms and hashes.

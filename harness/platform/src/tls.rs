//! The process's one TLS provider.

/// Makes ring the provider of the process. To be called before an HTTP client is built: building one without a provider
/// panics. Calling it again does nothing.
pub fn install_provider() {
    // An error says that a provider is already there, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

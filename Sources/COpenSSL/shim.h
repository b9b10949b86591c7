// OpenSSL 3 for Swift: its macros and variadic functions as static inline functions.
// Holds no logic of its own.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline int ossl_set_protocol_range(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 && SSL_CTX_set_max_proto_version(context, highest) == 1;
}

static inline void ossl_set_mode(SSL_CTX *context) {
    // Idle connections own no record buffers; a write may be repeated from another address.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static inline void ossl_set_options(SSL_CTX *context) {
    // A client may not make the server work by asking for one handshake after another.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
}

static inline void ossl_session_cache_off(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int ossl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int ossl_set_ticket_keys(SSL_CTX *context, const void *keys, int count) {
    return (int)SSL_CTX_set_tlsext_ticket_keys(context, (void *)keys, count);
}

static inline int ossl_accept_server_name(SSL *ssl, int *alert, void *argument) {
    (void)ssl, (void)alert, (void)argument;
    return SSL_TLSEXT_ERR_OK;
}

static inline void ossl_accept_any_server_name(SSL_CTX *context) {
    SSL_CTX_set_tlsext_servername_callback(context, ossl_accept_server_name);
}

static inline void ossl_prefer_own_ciphers(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Anonymous suites over finite fields need a group.
    SSL_CTX_set_dh_auto(context, 1);
}

static inline EVP_PKEY *ossl_new_p256_key(void) { return EVP_EC_gen("P-256"); }
static inline EVP_PKEY *ossl_new_rsa_key(unsigned int bits) { return EVP_RSA_gen(bits); }

static inline int ossl_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline const GENERAL_NAME *ossl_name_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}
static inline const ASN1_IA5STRING *ossl_name_text(const GENERAL_NAME *name) { return name->d.ia5; }

static inline int ossl_error_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int ossl_error_reason(unsigned long code) { return ERR_GET_REASON(code); }

static inline void ossl_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void ossl_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline void ossl_free(void *memory) { OPENSSL_free(memory); }

#endif

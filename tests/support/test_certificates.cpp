#include "tests/support/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace imagesweep {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

void Must(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL could not make a certificate");
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string ToPem(X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return Text(bio.get());
}

std::string ToPem(EVP_PKEY* key) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return Text(bio.get());
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Owned<X509> NewCertificate(EVP_PKEY* key, const std::string& name, std::chrono::seconds from,
                           std::chrono::seconds to) {
  static std::atomic<long> serial{1};
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to.count());
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

TestCa::TestCa(const std::string& name) : name_(name) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const auto ca = NewCertificate(key.get(), name, -std::chrono::hours(48), std::chrono::hours(48));
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  AddExtension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign");
  Must(X509_sign(ca.get(), key.get(), EVP_sha256()) > 0);
  self_ = {ToPem(ca.get()), ToPem(key.get())};
}

TestCertificate TestCa::Issue(const Request& request) const {
  const Owned<BIO> ca_text(
      BIO_new_mem_buf(self_.certificate.data(), static_cast<int>(self_.certificate.size())));
  const Owned<BIO> key_text(BIO_new_mem_buf(self_.key.data(), static_cast<int>(self_.key.size())));
  const Owned<X509> ca(PEM_read_bio_X509(ca_text.get(), nullptr, nullptr, nullptr));
  const Owned<EVP_PKEY> ca_key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const auto leaf = NewCertificate(key.get(), request.name, request.valid_from, request.valid_to);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca.get()));
  if (!request.alt_names.empty())
    AddExtension(leaf.get(), ca.get(), NID_subject_alt_name, request.alt_names);
  Must(X509_sign(leaf.get(), ca_key.get(), EVP_sha256()) > 0);
  return {ToPem(leaf.get()), ToPem(key.get())};
}

}  // namespace imagesweep

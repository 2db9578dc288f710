#include "agent/kube/client/tls_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>
#include <vector>

namespace imagesweep::kube {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> Reader(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::vector<Owned<X509>> ReadCertificates(const std::string& pem) {
  std::vector<Owned<X509>> certificates;
  const auto reader = Reader(pem);
  while (X509* one = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr))
    certificates.emplace_back(one);
  ERR_clear_error();  // the end of the text is reported as an error too
  return certificates;
}

Owned<EVP_PKEY> ReadKey(const std::string& pem) {
  const auto no_password = [](char*, int, int, void*) {
    return 0;
  };  // never prompts on the terminal
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

Status Usable(const ApiServer& server) {
  if (ReadCertificates(server.ca).empty())
    return Error{ErrorKind::kInvalid, "the cluster's CA is not a PEM certificate"};
  if (server.client_certificate.empty()) return Done{};
  const auto certificates = ReadCertificates(server.client_certificate);
  if (certificates.empty())
    return Error{ErrorKind::kInvalid, "the client certificate is not a PEM certificate"};
  const auto key = ReadKey(server.client_key);
  if (key == nullptr)
    return Error{ErrorKind::kInvalid,
                 "the client key is not a PEM private key (or it needs a password)"};
  if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return Error{ErrorKind::kInvalid, "the client key does not belong to the client certificate"};
  }
  return Done{};
}

int SelfIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

TlsIdentity::TlsIdentity(const ApiServer& server, std::string host)
    : server_(server), host_(std::move(host)) {}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::Create(const ApiServer& server,
                                                         std::string host) {
  if (auto usable = Usable(server); !usable) return std::move(usable).error();
  return std::shared_ptr<TlsIdentity>(new TlsIdentity(server, std::move(host)));
}

// Files may be replaced one by one, so a new certificate with the old key is not usable yet.
ApiServer TlsIdentity::Newest() {
  return server_.With([](ApiServer& server) {
    if (!server.reread) return server;
    auto fresh = server.reread();
    const bool same_party = fresh && fresh->url == server.url &&
                            fresh->client_certificate.empty() == server.client_certificate.empty();
    if (same_party && Usable(*fresh)) {
      server.ca = std::move(fresh->ca);
      server.client_certificate = std::move(fresh->client_certificate);
      server.client_key = std::move(fresh->client_key);
    }
    return server;
  });
}

void TlsIdentity::Apply(SSL_CTX* context) {
  ++contexts_;
  const ApiServer server = Newest();
  Owned<X509_STORE> store(X509_STORE_new());
  for (const auto& ca : ReadCertificates(server.ca)) X509_STORE_add_cert(store.get(), ca.get());
  SSL_CTX_set_cert_store(context, store.release());  // also drops the CA bundle of the system
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cert_verify_callback(context, Verify, this);
  SSL_CTX_set_ex_data(context, SelfIndex(), this);
  SSL_CTX_set_info_callback(context, OnInfo);
  if (server.client_certificate.empty()) return;
  const auto certificates = ReadCertificates(server.client_certificate);
  SSL_CTX_use_certificate(context, certificates.front().get());
  for (std::size_t i = 1; i < certificates.size(); ++i)
    SSL_CTX_add1_chain_cert(context, certificates[i].get());
  SSL_CTX_use_PrivateKey(context, ReadKey(server.client_key).get());
}

// OpenSSL alone does the whole verification, including the host: its reasons are exact, cpprestsdk
// gives none, and cpprestsdk compares an IPv6 address in brackets.
int TlsIdentity::Verify(X509_STORE_CTX* chain, void* self) {
  auto* identity = static_cast<TlsIdentity*>(self);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(chain);
  const std::string& host = identity->host_;
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) != 1 &&
      X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) != 1)
    return 0;
  X509_STORE_CTX_set_verify_cb(chain, [](int ok, X509_STORE_CTX*) { return ok; });
  const int verified = X509_verify_cert(chain);
  if (verified != 1)
    identity->Note(std::string("the server's certificate was refused: ") +
                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain)));
  return verified == 1 ? 1 : 0;
}

// An alert from the server, for example about our client certificate.
void TlsIdentity::OnInfo(const SSL* ssl, int where, int code) {
  constexpr int kCloseNotify = 0;
  if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || (code & 0xff) == kCloseNotify) return;
  auto* self = static_cast<TlsIdentity*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), SelfIndex()));
  if (self != nullptr)
    self->Note(std::string("the server refused TLS: ") + SSL_alert_desc_string_long(code));
}

void TlsIdentity::Note(const std::string& problem) {
  problem_.With([&](std::string& text) {
    text = problem;
    return 0;
  });
}

std::string TlsIdentity::TakeProblem() {
  return problem_.With([](std::string& text) { return std::exchange(text, {}); });
}

}  // namespace imagesweep::kube

#pragma once

#include <chrono>
#include <string>

namespace imagesweep {

// A certificate and its key, as PEM texts.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

// Creates certificates for one test run. Nothing is written to disk.
class TestCa {
 public:
  explicit TestCa(const std::string& name);

  struct Request {
    std::string name = "test";
    std::string alt_names = "DNS:localhost,IP:127.0.0.1,IP:::1";
    std::chrono::seconds valid_from{-3600};  // from now
    std::chrono::seconds valid_to{3600};
  };
  TestCertificate Issue(const Request& request) const;
  const std::string& pem() const { return self_.certificate; }

 private:
  std::string name_;
  TestCertificate self_;
};

}  // namespace imagesweep

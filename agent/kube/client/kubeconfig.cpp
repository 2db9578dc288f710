#include <yaml-cpp/yaml.h>

#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>

#include "agent/kube/client/identity.h"

namespace imagesweep::kube {
namespace {

Error Bad(const std::string& what) {
  return {ErrorKind::kInvalid, what};
}

Result<std::string> DecodeBase64(const std::string& where, std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  // OpenSSL reads '=' as a zero at any position. It may only be one of the last two characters.
  const auto padding = static_cast<std::size_t>(std::ranges::count(text, '='));
  const bool at_the_end = padding <= 2 && text.find('=') >= text.size() - padding;
  if (size < 0 || text.size() % 4 != 0 || (padding > 0 && !at_the_end))
    return Bad(where + " is not base64");
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

std::string Text(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  return node && node.IsScalar() ? node.Scalar() : std::string();
}

// Finds an entry in a named list ("clusters") and returns its relevant part ("cluster").
Result<YAML::Node> Find(const YAML::Node& root, const std::string& list, const std::string& part,
                        const std::string& name) {
  const YAML::Node entries = root[list];
  for (std::size_t i = 0; entries && entries.IsSequence() && i < entries.size(); ++i) {
    const YAML::Node entry = entries[i];
    if (entry.IsMap() && Text(entry, "name") == name && entry[part] && entry[part].IsMap())
      return YAML::Node(entry[part]);
  }
  return Bad(list + " has no entry named \"" + name + "\"");
}

class Reader {
 public:
  Reader(const std::string& path, const ReadFile& read)
      : folder_(std::filesystem::path(path).parent_path()), read_(read) {}

  // "KEY-data" inline, otherwise the file that "KEY" names. Empty if neither is set.
  Result<std::string> Pem(const YAML::Node& map, const std::string& key) const {
    const std::string inline_data = Text(map, (key + "-data").c_str());
    if (!inline_data.empty()) return DecodeBase64(key + "-data", inline_data);
    const std::string file = Text(map, key.c_str());
    if (file.empty()) return std::string();
    auto text = read_(Path(file));
    if (!text) return std::move(text).error().Wrap(key);
    return text;
  }
  Result<std::string> Token(const std::string& path) const { return ReadToken(path, read_); }
  std::string Path(const std::string& file) const { return (folder_ / file).string(); }

 private:
  const std::filesystem::path folder_;
  const ReadFile& read_;
};

Status ReadUser(const YAML::Node& user, const Reader& reader, ApiServer& server) {
  for (const char* unsupported :
       {"exec", "auth-provider", "username", "as", "as-uid", "as-groups", "as-user-extra"})
    if (user[unsupported] && !user[unsupported].IsNull())
      return Bad(std::string("the user's \"") + unsupported +
                 "\" is not supported; use a client certificate or a token");
  auto certificate = reader.Pem(user, "client-certificate");
  if (!certificate) return std::move(certificate).error();
  auto key = reader.Pem(user, "client-key");
  if (!key) return std::move(key).error();
  if (certificate->empty() != key->empty())
    return Bad("the user has a client certificate without a key, or a key without a certificate");
  server.client_certificate = *std::move(certificate);
  server.client_key = *std::move(key);
  server.token = Text(user, "token");
  if (const std::string file = Text(user, "tokenFile"); !file.empty()) {  // overrides "token"
    server.token_file = reader.Path(file);
    auto token = reader.Token(server.token_file);
    if (!token) return std::move(token).error().Wrap("tokenFile");
    server.token = *std::move(token);
  }
  if (server.client_certificate.empty() && server.token.empty())
    return Bad("the user has neither a client certificate nor a token");
  return Done{};
}

Result<ApiServer> Parse(const std::string& text, const Reader& reader) {
  const YAML::Node root = YAML::Load(text);
  if (!root.IsMap()) return Bad("the file is not a kubeconfig");
  const std::string context_name = Text(root, "current-context");
  if (context_name.empty()) return Bad("it has no current-context");
  auto context = Find(root, "contexts", "context", context_name);
  if (!context) return std::move(context).error();
  auto cluster = Find(root, "clusters", "cluster", Text(*context, "cluster"));
  if (!cluster) return std::move(cluster).error();
  auto user = Find(root, "users", "user", Text(*context, "user"));
  if (!user) return std::move(user).error();

  ApiServer server;
  server.url = Text(*cluster, "server");
  if (!server.url.starts_with("https://"))
    return Bad("the cluster's server \"" + server.url + "\" does not begin with https://");
  while (server.url.ends_with('/')) server.url.pop_back();
  for (const char* unsupported : {"tls-server-name", "proxy-url"})
    if (!Text(*cluster, unsupported).empty())
      return Bad(std::string("the cluster's \"") + unsupported + "\" is not supported");
  const std::string insecure = Text(*cluster, "insecure-skip-tls-verify");
  if (!insecure.empty() && insecure != "false")
    return Bad(
        "insecure-skip-tls-verify is not supported, because the answers of an unverified server "
        "prove nothing; set certificate-authority");
  auto ca = reader.Pem(*cluster, "certificate-authority");
  if (!ca) return std::move(ca).error();
  if (ca->empty()) return Bad("the cluster has no certificate-authority");
  server.ca = *std::move(ca);
  if (auto status = ReadUser(*user, reader, server); !status) return std::move(status).error();
  return server;
}

}  // namespace

Result<ApiServer> FromKubeconfig(const std::string& path, const ReadFile& read) {
  auto text = read(path);
  if (!text) return std::move(text).error().Wrap("kubeconfig");
  try {
    auto server = Parse(*text, Reader(path, read));
    if (!server) return std::move(server).error().Wrap("kubeconfig " + path);
    server->reread = [path, read] { return FromKubeconfig(path, read); };
    return server;
  } catch (const YAML::Exception& error) {
    return Bad("kubeconfig " + path + ": " + error.what());
  }
}

}  // namespace imagesweep::kube

#include <gmock/gmock.h>

#include <map>

#include "agent/kube/client/identity.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A kubeconfig whose cluster and user are YAML flow maps.
std::string Config(const std::string& cluster, const std::string& user,
                   const std::string& context = "home") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: " + context +
         "\n"
         "contexts:\n"
         "- {name: other, context: {cluster: nowhere, user: nobody}}\n"
         "- {name: home, context: {cluster: lab, user: me}}\n"
         "- {name: lost, context: {cluster: missing, user: me}}\n"
         "clusters:\n"
         "- {name: lab, cluster: " +
         cluster +
         "}\n"
         "users:\n"
         "- {name: me, user: " +
         user + "}\n";
}

const std::string kCluster = "{server: 'https://10.0.0.1:6443/', certificate-authority: ca.crt}";
const std::string kUser = "{token: secret}";

struct KubeconfigTest : testing::Test {
  std::map<std::string, std::string> files = {{"/home/me/.kube/ca.crt", "CA"},
                                              {"/home/me/.kube/pki/me.crt", "CERT"},
                                              {"/etc/me.key", "KEY"},
                                              {"/home/me/.kube/token", "from-file\n"},
                                              {"/home/me/.kube/empty", "\n"}};
  Result<ApiServer> Read(const std::string& text) {
    files["/home/me/.kube/config"] = text;
    return FromKubeconfig("/home/me/.kube/config",
                          [this](const std::string& path) -> Result<std::string> {
                            const auto file = files.find(path);
                            if (file == files.end())
                              return Error{ErrorKind::kNotFound, "cannot read " + path};
                            return file->second;
                          });
  }
};

TEST_F(KubeconfigTest, ReadsTheCurrentContext) {
  const auto server = Read(Config(kCluster, kUser));
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_EQ(server->url, "https://10.0.0.1:6443");
  EXPECT_EQ(server->ca, "CA");
  EXPECT_EQ(server->token, "secret");
  EXPECT_EQ(server->client_certificate, "");
}

TEST_F(KubeconfigTest, ReadsFilesRelativeToItself) {
  const auto server =
      Read(Config(kCluster, "{client-certificate: pki/me.crt, client-key: /etc/me.key}"));
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_EQ(server->client_certificate, "CERT");
  EXPECT_EQ(server->client_key, "KEY");
}

TEST_F(KubeconfigTest, ReadsInlineDataBeforeFiles) {
  const auto server = Read(
      Config("{server: 'https://h', certificate-authority-data: 'SU4=', certificate-authority: x}",
             "{client-certificate-data: 'Qw==', client-key-data: 'S0VZ'}"));
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_EQ(server->ca, "IN");
  EXPECT_EQ(server->client_certificate, "C");
  EXPECT_EQ(server->client_key, "KEY");
}

TEST_F(KubeconfigTest, ATokenFileGoesBeforeAToken) {
  const auto server = Read(Config(kCluster, "{token: secret, tokenFile: token}"));
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_EQ(server->token, "from-file");
  EXPECT_EQ(server->token_file, "/home/me/.kube/token");
}

TEST_F(KubeconfigTest, NamesTheUnsupportedSetting) {
  const auto cluster = [](const std::string& more) {
    return "{server: 'https://h', certificate-authority: ca.crt, " + more + "}";
  };
  const struct {
    const char* why;
    std::string text;
    const char* says;
  } cases[] = {
      {"exec", Config(kCluster, "{exec: {command: aws}}"), "\"exec\" is not supported"},
      {"auth-provider", Config(kCluster, "{auth-provider: {name: gcp}}"), "\"auth-provider\""},
      {"basic", Config(kCluster, "{username: a, password: b}"), "\"username\""},
      {"impersonation", Config(kCluster, "{token: a, as: admin}"), "\"as\""},
      {"nobody", Config(kCluster, "{}"), "neither a client certificate nor a token"},
      {"unreadable token", Config(kCluster, "{token: a, tokenFile: nowhere}"), "tokenFile"},
      {"empty token file", Config(kCluster, "{tokenFile: empty}"), "is empty"},
      {"certificate alone", Config(kCluster, "{client-certificate: pki/me.crt}"), "without a key"},
      {"key alone", Config(kCluster, "{client-key: /etc/me.key}"), "without a certificate"},
      {"missing file", Config(kCluster, "{client-certificate: no.crt, client-key: /etc/me.key}"),
       "/home/me/.kube/no.crt"},
      {"insecure", Config(cluster("insecure-skip-tls-verify: true"), kUser),
       "insecure-skip-tls-verify is not supported"},
      {"proxy", Config(cluster("proxy-url: 'http://p'"), kUser), "\"proxy-url\""},
      {"server name", Config(cluster("tls-server-name: other"), kUser), "\"tls-server-name\""},
      {"plain http", Config("{server: 'http://h', certificate-authority: ca.crt}", kUser),
       "does not begin with https://"},
      {"no server", Config("{certificate-authority: ca.crt}", kUser), "https://"},
      {"no CA", Config("{server: 'https://h'}", kUser), "no certificate-authority"},
      {"CA not base64", Config("{server: 'https://h', certificate-authority-data: '%%'}", kUser),
       "certificate-authority-data is not base64"},
      {"no context", Config(kCluster, kUser, "''"), "no current-context"},
      {"unknown context", Config(kCluster, kUser, "away"), "contexts has no entry named \"away\""},
      {"unknown cluster", Config(kCluster, kUser, "lost"), "clusters has no entry"},
      {"a list", "- a\n", "not a kubeconfig"},
      {"empty", "", "not a kubeconfig"},
      {"no lists", "current-context: a\n", "contexts has no entry"},
      {"no YAML", "a: [", "kubeconfig /home/me/.kube/config"},
      {"names of another shape", "current-context: a\ncontexts: {a: b}\n", "contexts has no entry"},
  };
  for (const auto& [why, text, says] : cases) {
    const auto server = Read(text);
    ASSERT_FALSE(server) << why;
    EXPECT_THAT(server.error().what, AllOf(HasSubstr("kubeconfig"), HasSubstr(says))) << why;
  }
}

TEST_F(KubeconfigTest, AcceptsANullExecAndAFalseSwitch) {
  EXPECT_TRUE(Read(Config(
      "{server: 'https://h', certificate-authority: ca.crt, insecure-skip-tls-verify: false}",
      "{token: a, exec: null}")));
}

}  // namespace
}  // namespace imagesweep::kube

#include "tests/support/fake_docker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <cstdlib>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/support/fake_docker_http.h"

namespace imagesweep {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Protocol = asio::local::stream_protocol;
using Connection = Protocol::socket;
using namespace fake_docker;

bool Write(Connection& to, const std::string& data) {
  boost::system::error_code error;
  asio::write(to, asio::buffer(data), error);
  return !error;
}

}  // namespace

struct FakeDocker::Impl {
  std::string directory;  // to delete; empty: of the test
  std::string path;
  mutable std::mutex mu;
  mutable std::condition_variable changed;
  FakeEngineNode node;
  Hook hook;
  std::vector<FakeEngineRequest> requests;
  std::vector<std::string> events;
  std::size_t events_ended = 0;  // counts EndEvents()
  std::size_t event_readers = 0;
  std::size_t released = 0;  // counts Release()
  bool stopping = false;

  asio::io_context io;
  std::optional<Protocol::acceptor> acceptor;
  std::thread accepting;
  std::list<Connection> connections;
  std::vector<std::thread> threads;

  // Waits until `done`, the client leaves, or Stop().
  template <typename Done>
  bool Wait(std::unique_lock<std::mutex>& lock, Connection& from, const Done& done) {
    while (!done() && !stopping) {
      char byte = 0;
      if (recv(from.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return false;
      changed.wait_for(lock, Millis(5));
    }
    return !stopping;
  }

  void Serve(Connection& to) {
    boost::beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(std::uint64_t{1} << 30);
    boost::system::error_code error;
    http::read_header(to, buffer, parser, error);
    if (error) return;
    if (parser.get()[http::field::expect] == "100-continue" &&
        !Write(to, "HTTP/1.1 100 Continue\r\n\r\n")) {
      return;
    }
    http::read(to, buffer, parser, error);
    if (error) return;
    FakeEngineRequest request =
        ParseTarget(std::string(parser.get().method_string()), std::string(parser.get().target()));
    for (const auto& field : parser.get()) {
      request.headers[std::string(field.name_string())] = std::string(field.value());
    }
    request.body = parser.get().body();
    std::unique_lock lock(mu);
    requests.push_back(request);
    const Hook ask = hook;
    lock.unlock();
    std::optional<FakeEngineReply> reply;
    if (ask) reply = ask(request.method, request.target);
    lock.lock();
    if (!reply && !request.version.empty()) reply = Refused(node, request.version);
    if (!reply && request.path == "/events") return Events(lock, to);
    if (!reply) reply = Answer(node, request);
    Send(lock, to, *reply);
  }

  void Send(std::unique_lock<std::mutex>& lock, Connection& to, const FakeEngineReply& reply) {
    const auto at = released;
    if (reply.hang) {
      Wait(lock, to, [&] { return released != at; });
      return;
    }
    const SteadyTime until = std::chrono::steady_clock::now() + reply.delay;
    if (!Wait(lock, to, [&] { return std::chrono::steady_clock::now() >= until; })) return;
    const bool chunked = reply.chunked || reply.repeat > 0;
    const std::string head = reply.raw ? *reply.raw : Head(node, reply, chunked);
    lock.unlock();
    if (!Write(to, head) || reply.raw) return;
    if (!chunked) {
      Write(to, reply.body);
      return;
    }
    const std::string chunk = reply.body.empty() ? "" : Chunk(reply.body);
    for (std::size_t i = 0; i <= reply.repeat; ++i) {
      if (!Write(to, chunk)) return;
    }
    if (!reply.cut_off) Write(to, "0\r\n\r\n");
  }

  void Events(std::unique_lock<std::mutex>& lock, Connection& to) {
    std::size_t next = events.size();
    const auto ended = events_ended;
    ++event_readers;
    changed.notify_all();
    const std::string head = Head(node, {}, /*chunked=*/true);
    bool open = Write(to, head);
    while (open) {
      open = Wait(lock, to, [&] { return events.size() > next || events_ended != ended; });
      while (open && next < events.size()) open = Write(to, Chunk(events[next++] + "\n"));
      if (events_ended != ended) break;
    }
    if (open) Write(to, "0\r\n\r\n");
    --event_readers;
    changed.notify_all();
  }

  void Accept() {
    while (true) {
      Connection connection(io);
      boost::system::error_code error;
      const bool failed = acceptor->accept(connection, error).failed();
      std::scoped_lock lock(mu);
      if (failed || stopping) return;
      connections.push_back(std::move(connection));
      threads.emplace_back([this, mine = std::prev(connections.end())] {
        Serve(*mine);
        std::scoped_lock closing(mu);  // Stop() uses the handle
        boost::system::error_code code;
        [[maybe_unused]] const auto same = mine->close(code);
      });
    }
  }
};

FakeDocker::FakeDocker(std::string socket_path) : impl_(std::make_unique<Impl>()) {
  if (socket_path.empty()) {
    std::string directory = "/tmp/fake-docker-XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) std::abort();
    impl_->directory = directory;
    socket_path = directory + "/docker.sock";
  }
  impl_->path = std::move(socket_path);
  Start();
}

FakeDocker::~FakeDocker() {
  Stop();
  if (impl_->directory.empty()) return;
  unlink(impl_->path.c_str());
  rmdir(impl_->directory.c_str());
}

const std::string& FakeDocker::socket_path() const {
  return impl_->path;
}

void FakeDocker::Start() {
  // The new file exists before the old one is gone, so that it has another inode.
  const std::string fresh = impl_->path + ".new";
  unlink(fresh.c_str());
  impl_->acceptor.emplace(impl_->io, Protocol::endpoint(fresh));
  if (rename(fresh.c_str(), impl_->path.c_str()) != 0) std::abort();
  impl_->stopping = false;
  impl_->accepting = std::thread([impl = impl_.get()] { impl->Accept(); });
}

void FakeDocker::Stop() {
  if (!impl_->accepting.joinable()) return;
  {
    std::scoped_lock lock(impl_->mu);
    impl_->stopping = true;
    impl_->changed.notify_all();
    shutdown(impl_->acceptor->native_handle(), SHUT_RDWR);  // ends accept()
    for (auto& connection : impl_->connections) {
      if (connection.is_open()) shutdown(connection.native_handle(), SHUT_RDWR);
    }
  }
  impl_->accepting.join();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  impl_->connections.clear();
  impl_->acceptor.reset();
  // The socket file stays, as after a crash of the daemon.
}

void FakeDocker::Edit(const std::function<void(FakeEngineNode&)>& edit) {
  std::scoped_lock lock(impl_->mu);
  edit(impl_->node);
}

FakeEngineNode FakeDocker::node() const {
  std::scoped_lock lock(impl_->mu);
  return impl_->node;
}

std::vector<std::string> FakeDocker::ImageIds() const {
  std::vector<std::string> ids;
  for (const auto& image : node().images) ids.push_back(image.id);
  return ids;
}

std::optional<FakeEngineImage> FakeDocker::Image(const std::string& id) const {
  for (const auto& image : node().images) {
    if (image.id == id) return image;
  }
  return std::nullopt;
}

void FakeDocker::AddImage(FakeEngineImage image) {
  Edit([&](FakeEngineNode& node) { node.images.push_back(std::move(image)); });
}

void FakeDocker::AddContainer(FakeEngineContainer container) {
  Edit([&](FakeEngineNode& node) { node.containers.push_back(std::move(container)); });
}

void FakeDocker::RemoveContainer(const std::string& id) {
  Edit([&](FakeEngineNode& node) {
    std::erase_if(node.containers, [&](const auto& container) { return container.id == id; });
  });
}

void FakeDocker::OnRequest(Hook hook) {
  std::scoped_lock lock(impl_->mu);
  impl_->hook = std::move(hook);
}

void FakeDocker::Release() {
  std::scoped_lock lock(impl_->mu);
  ++impl_->released;
  impl_->changed.notify_all();
}

void FakeDocker::PushEvent(const std::string& json) {
  std::scoped_lock lock(impl_->mu);
  impl_->events.push_back(json);
  impl_->changed.notify_all();
}

void FakeDocker::EndEvents() {
  std::scoped_lock lock(impl_->mu);
  ++impl_->events_ended;
  impl_->changed.notify_all();
}

std::size_t FakeDocker::EventReaders() const {
  std::scoped_lock lock(impl_->mu);
  return impl_->event_readers;
}

bool FakeDocker::WaitForEventReaders(std::size_t count, Millis patience) const {
  std::unique_lock lock(impl_->mu);
  return impl_->changed.wait_for(lock, patience, [&] { return impl_->event_readers == count; });
}

std::vector<FakeEngineRequest> FakeDocker::requests() const {
  std::scoped_lock lock(impl_->mu);
  return impl_->requests;
}

std::vector<std::string> FakeDocker::Log(std::string_view method) const {
  std::vector<std::string> log;
  for (const auto& request : requests()) {
    if (method.empty() || request.method == method) {
      log.push_back(request.method + " " + request.target);
    }
  }
  return log;
}

void FakeDocker::ForgetRequests() {
  std::scoped_lock lock(impl_->mu);
  impl_->requests.clear();
}

}  // namespace imagesweep

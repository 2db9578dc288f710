// For LeakSanitizer: at exit, cpprestsdk destroys its thread pool with the tasks still queued on
// it, such as the continuation that closes a body. The objects that these tasks hold would count as
// leaked.
extern "C" const char* __lsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:libcpprest";
}

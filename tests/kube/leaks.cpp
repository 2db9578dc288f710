// For LeakSanitizer: cpprestsdk's thread pool is taken down at exit with what is still queued on
// it, such as the continuation that closes a body, and what that holds is counted as leaked.
extern "C" const char* __lsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:libcpprest";
}

#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

/// What every fuzz target needs. A target is a file with one LLVMFuzzerTestOneInput that calls what reads bytes of
/// others, and says with MUST what holds for any bytes whatsoever; sanitizers say the rest.
/// https://llvm.org/docs/LibFuzzer.html
namespace stash::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes a number below `limit` off the front of `bytes`; 0 when there is nothing left.
inline std::size_t take_number(std::string_view& bytes, std::size_t limit) {
  if (bytes.empty()) return 0;
  const auto number = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  return number % limit;
}

[[noreturn]] inline void broken(const char* promise, const char* file, int line, const std::string& shown) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n%s\n", file, line, promise, shown.c_str());
  std::abort();
}

}  // namespace stash::fuzz

/// MUST(promise, text): stops the fuzzer with the promise and the text, which says what it was broken with.
#define MUST(promise, ...) \
  if (!(promise)) stash::fuzz::broken(#promise, __FILE__, __LINE__, std::string(__VA_ARGS__))

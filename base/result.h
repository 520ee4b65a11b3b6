#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stash {

/// A closed set, one code per reaction; a new code needs a reaction that none of the others gives.
enum class ErrorCode {
  not_found,       ///< it is gone: forget the key, or wait for its creation
  already_exists,  ///< read again, plan again
  conflict,        ///< read again, plan again; never overwrite blindly
  expired,         ///< a watch or page token too old (HTTP 410): list again
  throttled,       ///< wait what `retry_after` says
  denied,          ///< authentication or authorization: condition + event once, retry slowly
  invalid,         ///< bad input or a refused object: condition + event once, wait for a change of the object
  unreachable,     ///< network, TLS, 5xx: back off per key
  timed_out,       ///< like unreachable, but the work may have happened
  cancelled,       ///< we were asked to stop: unwind, write nothing
};

/// Stable name of a code, usable as a metric label and a condition's reason suffix ("not_found").
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;  ///< for a person: what, on which object, why. Never holds a secret.
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

/// Prefixes the error, if there is one, with what the caller was doing: "reading Repository demo/r: <cause>".
template <class T>
Result<T> with_context(Result<T> result, std::string_view doing) {
  if (!result) result.error().message = std::string(doing) + ": " + result.error().message;
  return result;
}

}  // namespace stash

#define STASH_CONCAT_(a, b) a##b
#define STASH_CONCAT(a, b) STASH_CONCAT_(a, b)

/// TRY(Json pod, api.get(...)); declares `pod` or returns the error from the enclosing function.
#define TRY(declaration, ...)                                                       \
  auto STASH_CONCAT(try_result_, __LINE__) = (__VA_ARGS__);                         \
  if (!STASH_CONCAT(try_result_, __LINE__))                                         \
    return std::unexpected(std::move(STASH_CONCAT(try_result_, __LINE__)).error()); \
  declaration = *std::move(STASH_CONCAT(try_result_, __LINE__))

/// TRY_VOID(api.remove(...)); for results without a value, or whose value is not wanted.
#define TRY_VOID(...)                                                       \
  do {                                                                      \
    auto try_result = (__VA_ARGS__);                                        \
    if (!try_result) return std::unexpected(std::move(try_result).error()); \
  } while (false)
